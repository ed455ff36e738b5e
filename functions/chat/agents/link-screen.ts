/** One share link as its owner sees it. */
import type { Agent } from '../../database/agents.ts'
import type { Link } from '../../database/links.ts'
import { renderSpan } from '../catalogue/duration.ts'
import type { Keyboard } from '../outgoing.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import type { FormattedText } from '../text/formatted-text.ts'
import { linkAddress } from './create-share-link.ts'

export async function renderLink(
  agent: Pick<Agent, 'id' | 'name'>,
  link: Link,
  { ports, words }: Pick<BaalContext, 'ports' | 'words'>,
): Promise<{ text: FormattedText; keyboard: Keyboard }> {
  const { share, buttons } = words
  const url = await linkAddress(link, ports)
  const invitation = share.invitation({ agent: agent.name })
  return {
    text: share.link({ agent: agent.name, url, terms: renderTerms(link, { ports, words }) }),
    keyboard: [
      [
        {
          text: buttons.sendLink,
          url: `https://t.me/share/url?url=${encodeURIComponent(url)}&text=${encodeURIComponent(invitation)}`,
        },
        { text: buttons.copyLink, copy_text: { text: url } },
      ],
      [button(buttons.revoke, `l:revoke:${link.id}`, 'danger')],
      [agentButton(buttons.back, 'share', agent.id)],
    ],
  }
}

export function renderTerms(link: Link, { ports, words }: Pick<BaalContext, 'ports' | 'words'>): string {
  const { share } = words
  return share.terms({
    days:
      link.expiresAt === null
        ? share.days({ days: 0 })
        : share.expires({ left: renderSpan(link.expiresAt - ports.now(), words) }),
    people: share.people({ people: link.maxPeople ?? 0 }),
    messages: share.messages({ messages: link.messagesPerDay ?? 0 }),
  })
}
