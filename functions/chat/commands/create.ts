/** /create: opens the wizard that makes an agent. `/create Rex` fills in the name. */
import { listAgents } from '../../database/agents.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'
import { reduceCreate, startCreate } from '../wizard/create-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'

export function registerCreate(router: Router): void {
  onCommand(router, 'create', startCreation)
}

export async function startCreation(ctx: BaalContext, name = ''): Promise<void> {
  if (!(await hasRoomForAgent(ctx))) return
  const state = startCreate(wizardOwner(ctx))
  const named = name ? reduceCreate(state, { type: 'text', text: name }).state : undefined
  openWizard(ctx, named?.step === 'purpose' ? named : state)
}

/** Said before the questions; the statement that inserts the agent is what really holds the limit. */
export async function hasRoomForAgent({ ports, user, words, out }: BaalContext): Promise<boolean> {
  const own = await listAgents(ports.database, user.id)
  const max = ports.config.MAX_AGENTS_PER_USER
  if (own.length < max) return true
  out.send(words.wizard.limitReached({ max }), { keyboard: [[commandButton(words.buttons.list, 'list')]] })
  return false
}
