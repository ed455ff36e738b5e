/** One share link as its owner sees it. */
import type { Agent } from '../../database/agents.ts'
import type { Link } from '../../database/links.ts'
import type { Keyboard } from '../outgoing.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import type { FormattedText } from '../text/formatted-text.ts'
import { linkAddress } from './create-share-link.ts'
import { describeLink } from './link-terms.ts'

export async function renderLink(
  agent: Pick<Agent, 'id' | 'name'>,
  link: Link,
  { ports, words }: Pick<BaalContext, 'ports' | 'words'>,
): Promise<{ text: FormattedText; keyboard: Keyboard }> {
  const { share, buttons } = words
  const url = await linkAddress(link, ports)
  const invitation = share.invitation({ agent: agent.name })
  const terms = describeLink(link, words, ports.now()).join('\n')
  return {
    text: share.link({ agent: agent.name, url, terms }),
    keyboard: [
      [
        {
          text: buttons.sendLink,
          url: `https://t.me/share/url?url=${encodeURIComponent(url)}&text=${encodeURIComponent(invitation)}`,
        },
        { text: buttons.copyLink, copy_text: { text: url } },
      ],
      [
        link.pausedAt === null
          ? button(buttons.pause, `l:pause:${link.id}`)
          : button(buttons.resume, `l:resume:${link.id}`),
        button(buttons.revoke, `l:revoke:${link.id}`, 'danger'),
      ],
      [agentButton(buttons.back, 'share', agent.id)],
    ],
  }
}
