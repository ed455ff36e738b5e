/** /model: which model an agent thinks with. `/model glm-4.7` sets it directly. */
import type { Agent } from '../../database/agents.ts'
import { findOwnAgent } from '../../database/agents.ts'
import { isOfferedModel, MODELS } from '../../models.ts'
import { saveSoul } from '../agents/save-soul.ts'
import { bold, fmt, join } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

export function registerModel(router: Router): void {
  onAgentCommand(
    router,
    'model',
    async (ctx, agent, argument) => {
      if (!argument) return show(ctx, agent)
      const typed = argument.toLowerCase()
      const model = MODELS.find(({ id, label }) => id === typed || label.toLowerCase() === typed)
      if (model) return set(ctx, agent, model.id)
      ctx.out.send(ctx.words.wizard.modelNotOffered)
      show(ctx, agent)
    },
    { takesArgument: true },
  )
  router.callbackQuery(/^model:([a-z0-9]{1,32}):([\w.-]{1,30})$/, async (ctx) => {
    const [, agentId = '', model = ''] = ctx.match
    const agent = await findOwnAgent(ctx.ports.database, agentId, ctx.user.id)
    if (!agent) return ctx.out.toast(ctx.words.chat.notFound, true)
    if (!isOfferedModel(model)) return ctx.out.toast(ctx.words.wizard.modelNotOffered, true)
    return set(ctx, agent, model)
  })
}

function show({ words, out }: BaalContext, agent: Agent): void {
  const lines = MODELS.map(({ id, label }) => fmt`${bold(label)}: ${words.models[id]}`)
  out.show(fmt`${words.soul.chooseModel({ agent: agent.name })}\n\n${join(lines, '\n')}`, [
    ...MODELS.map(({ id, label }) => [button(`${id === agent.model ? '● ' : ''}${label}`, `model:${agent.id}:${id}`)]),
    [agentButton(words.buttons.back, 'soul', agent.id)],
  ])
}

async function set({ ports, words, out }: BaalContext, agent: Agent, model: string): Promise<void> {
  await saveSoul(agent, { model }, ports)
  const label = MODELS.find(({ id }) => id === model)?.label ?? model
  out.show(words.soul.modelSet({ agent: agent.name, model: label }), [
    [agentButton(words.buttons.back, 'soul', agent.id)],
  ])
}
