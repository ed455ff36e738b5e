/**
 * /soul: name, personality and model of an agent; what is changed counts from the next message on. `/soul name Max` and
 * `/soul personality You are …` change it at once.
 */
import type { Agent } from '../../database/agents.ts'
import { MODELS } from '../../models.ts'
import { saveSoul } from '../agents/save-soul.ts'
import { clip, fmt, longQuote } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, onAgentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { startEdit } from '../wizard/edit-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'
import { parseName, parseText } from '../wizard/typed-input.ts'

/** A personality can be longer than a message. */
const SHOWN_POINTS = 3000

export function registerSoul(router: Router): void {
  onAgentCommand(router, 'soul', soulCommand, { takesArgument: true })
  onAgentButton(router, 'name', async (ctx, agent) => ask(ctx, agent, 'name'))
  onAgentButton(router, 'prompt', async (ctx, agent) => ask(ctx, agent, 'prompt'))
}

async function soulCommand(ctx: BaalContext, agent: Agent, typed: string): Promise<void> {
  const [, word = '', value = ''] = /^(name|personality)\b\s*(.*)$/is.exec(typed.trim()) ?? []
  if (!word) return showSoul(ctx, agent)
  const field = word.toLowerCase() === 'name' ? 'name' : 'prompt'
  if (!value) return ask(ctx, agent, field)
  const input = field === 'name' ? parseName(value) : parseText(value)
  // Said on the screen that asks for it.
  if (!input.ok) return ask(ctx, agent, field)
  await saveSoul(agent, { [field]: input.value }, ctx.ports)
  ctx.out.send(ctx.words.soul.saved({ agent: field === 'name' ? input.value : agent.name }))
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
