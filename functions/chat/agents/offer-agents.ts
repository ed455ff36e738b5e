/** Whenever there is no agent to talk to: a sentence, and a button for everything that helps. */
import { listAgents } from '../../database/agents.ts'
import { listVisited } from '../../database/members.ts'
import type { Phrase } from '../catalogue/format.ts'
import type { Keyboard } from '../outgoing.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { agentButton, commandButton } from '../routing/buttons.ts'

/** More would push the sentence off the screen; /list has the rest. */
const MAX_OFFERED = 8

/** Where somebody stands before a closed door: what they can do themselves. */
export function ownAgentButtons({ buttons }: Pick<BaalContext['words'], 'buttons'>): Keyboard {
  return [[commandButton(buttons.create, 'create'), commandButton(buttons.list, 'list')]]
}

export async function offerAgents(ctx: BaalContext, text: Phrase): Promise<void> {
  const { ports, user, words, out, inGroup } = ctx
  const own = await listAgents(ports.database, user.id)
  const visited = inGroup ? [] : await listVisited(ports.database, user.id)
  const keyboard: Keyboard = [
    ...[...own, ...visited].slice(0, MAX_OFFERED).map(({ id, name }) => [agentButton(`💬 ${name}`, 'chat', id)]),
    inGroup
      ? [commandButton(words.buttons.help, 'help')]
      : [commandButton(words.buttons.create, 'create'), commandButton(words.buttons.help, 'help')],
  ]
  const nothingYet = own.length === 0 && visited.length === 0
  out.show(nothingYet && text === words.chat.noAgent ? words.chat.noAgents : text, keyboard)
}
