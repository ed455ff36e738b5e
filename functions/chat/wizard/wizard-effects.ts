/** What a finished wizard brings about. Each ends in the wizard's own message. */
import { findOwnAgent } from '../../database/agents.ts'
import { beginDeployment } from '../agents/begin-deployment.ts'
import { findCopyable, noteOriginal } from '../agents/copy-agent.ts'
import { createAgentFor } from '../agents/create-agent.ts'
import { createShareLink } from '../agents/create-share-link.ts'
import { chooseAgent } from '../agents/current-agent.ts'
import { renamePrompt } from '../agents/default-prompt.ts'
import { renderLink } from '../agents/link-screen.ts'
import { MEMORY_FILE } from '../agents/memory-file.ts'
import { saveOwnKey } from '../agents/save-own-key.ts'
import { saveSoul } from '../agents/save-soul.ts'
import type { MessageTarget } from '../outgoing.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import type { WizardEffect } from './wizard-state.ts'

type LastEffect = Exclude<WizardEffect, { type: 'show' | 'cancelled' }>
type Effect<T extends LastEffect['type']> = Extract<LastEffect, { type: T }>

export async function performEffect(ctx: BaalContext, effect: LastEffect, target: MessageTarget): Promise<void> {
  switch (effect.type) {
    case 'create_agent':
      return makeAgent(ctx, effect, target)
    case 'save_field':
      return saveField(ctx, effect, target)
    case 'save_key':
      if (ctx.message) ctx.out.delete({ messageId: ctx.message.message_id })
      return ctx.out.edit(target, await saveOwnKey(ctx, effect.key), { keyboard: [] })
    case 'create_link':
      return makeLink(ctx, effect, target)
  }
}

async function makeAgent(ctx: BaalContext, wish: Effect<'create_agent'>, target: MessageTarget): Promise<void> {
  const { ports, words, out, user } = ctx
  const original = wish.copyOf ? await findCopyable(wish.copyOf, user.id, ports) : undefined
  if (wish.copyOf && !original) return out.edit(target, words.copy.notAllowed, { keyboard: [] })
  const prompt = original && renamePrompt(original.prompt, { from: original.name, to: wish.name })
  const creation = await createAgentFor(user.id, { ...wish, ...(prompt ? { prompt } : {}) }, ports)
  if (creation.kind === 'limit_reached') {
    const text = words.wizard.limitReached({ max: ports.config.MAX_AGENTS_PER_USER })
    out.edit(target, text, { keyboard: [[commandButton(words.buttons.list, 'list')]] })
    return
  }
  if (creation.kind === 'model_not_offered') {
    out.edit(target, words.wizard.modelNotOffered, { keyboard: [[commandButton(words.buttons.create, 'create')]] })
    return
  }
  await beginDeployment(ctx, { agent: { id: creation.agentId, name: wish.name }, kind: 'create', target })
  if (original) noteOriginal(ports.store, creation.agentId, original.id)
  chooseAgent(ports.store, { agentId: creation.agentId, chosenBy: user.id })
}

async function saveField(
  ctx: BaalContext,
  { agentId, field, value }: Effect<'save_field'>,
  target: MessageTarget,
): Promise<void> {
  const { ports, words, out, user } = ctx
  // The agent may have been deleted since the wizard was opened.
  const agent = await findOwnAgent(ports.database, agentId, user.id)
  if (!agent) return out.edit(target, words.chat.notFound, { keyboard: [] })
  if (field === 'memory') {
    await (await ports.agent(agentId)).writeText(MEMORY_FILE, `${value}\n`)
    return out.edit(target, words.memory.saved, { keyboard: [] })
  }
  await saveSoul(agent, field === 'name' ? { name: value } : { prompt: value }, ports)
  out.edit(target, words.soul.saved({ agent: field === 'name' ? value : agent.name }), { keyboard: [] })
}

async function makeLink(
  ctx: BaalContext,
  { agentId, terms }: Effect<'create_link'>,
  target: MessageTarget,
): Promise<void> {
  const { ports, words, out, user } = ctx
  const agent = await findOwnAgent(ports.database, agentId, user.id)
  if (!agent) return out.edit(target, words.chat.notFound, { keyboard: [] })
  const link = await createShareLink(agent, terms, ports)
  const { text, keyboard } = await renderLink(agent, link, ctx)
  out.edit(target, text, { keyboard })
}
