/** /soul: name, personality and model of an agent; what is changed counts from the next message on. */
import type { Agent } from '../../database/agents.ts'
import { MODELS } from '../../models.ts'
import { clip, fmt, longQuote } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, onAgentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { startEdit } from '../wizard/edit-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'

/** A personality can be longer than a message. */
const SHOWN_POINTS = 3000

export function registerSoul(router: Router): void {
  onAgentCommand(router, 'soul', showSoul)
  onAgentButton(router, 'name', async (ctx, agent) => ask(ctx, agent, 'name'))
  onAgentButton(router, 'prompt', async (ctx, agent) => ask(ctx, agent, 'prompt'))
}

async function showSoul({ words, out }: BaalContext, agent: Agent): Promise<void> {
  const model = MODELS.find(({ id }) => id === agent.model)?.label ?? agent.model
  out.show(fmt`${words.soul.card({ agent: agent.name, model })}\n${longQuote(clip(agent.prompt, SHOWN_POINTS))}`, [
    [agentButton(words.buttons.name, 'name', agent.id), agentButton(words.buttons.personality, 'prompt', agent.id)],
    [agentButton(words.buttons.model, 'model', agent.id)],
    [agentButton(words.buttons.back, 'card', agent.id)],
  ])
}

function ask(ctx: BaalContext, agent: Agent, field: 'name' | 'prompt'): void {
  openWizard(ctx, startEdit(wizardOwner(ctx), { agentId: agent.id, agentName: agent.name, field }))
}
