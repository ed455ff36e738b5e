/**
 * /import: an exported agent comes back by sending its file. Which of the owner's agents becomes it is asked with buttons, and
 * can be typed, with the file or after it: `/import Rex`. `/import no` says that it is only a file.
 */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { type Agent, findOwnAgent, listAgents, saveAgentSettings } from '../../database/agents.ts'
import { isOfferedModel } from '../../models.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import { isSameName } from '../agents/named-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import { talk } from '../agents/talk.ts'
import { lookUp } from '../catalogue/catalogue.ts'
import { clip } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'
import { parseName } from '../wizard/typed-input.ts'

/** The file that waits for an answer; the whole message is kept, for when it is only a file after all. */
const KEY = 'import'
const Waiting = z.object({
  fileId: z.string(),
  messageId: z.int(),
  message: z.custom<Message>((value) => typeof value === 'object' && value !== null),
})
/** What a bot may fetch (Bot API `getFile`). */
const MAX_BYTES = 20 * 1024 * 1024

export function registerImport(router: Router): void {
  onCommand(router, 'import', importTyped)
  router.callbackQuery(/^a:import:([a-z0-9]{1,32})$/, async (ctx) => {
    const agent = await findOwnAgent(ctx.ports.database, ctx.match[1] ?? '', ctx.user.id)
    const waiting = ctx.ports.store.get(KEY, Waiting)
    if (!agent) return ctx.out.toast(ctx.words.chat.notFound, true)
    if (!waiting) return ctx.out.toast(ctx.words.toasts.outdated)
    ctx.ports.store.delete(KEY)
    return bringIn(ctx, agent, waiting.fileId)
  })
  router.callbackQuery(/^i:file:(\d{1,16})$/, async (ctx) => {
    const waiting = ctx.ports.store.get(KEY, Waiting)
    if (waiting?.messageId !== Number(ctx.match[1])) return ctx.out.toast(ctx.words.toasts.outdated)
    return handOver(ctx, waiting)
  })
}

async function importTyped(ctx: BaalContext, typed: string): Promise<void> {
  const { ports, words, out } = ctx
  const waiting = ports.store.get(KEY, Waiting)
  if (!waiting || typed === '') return out.send(words.import.notAFile)
  if (typed.toLowerCase() === 'no' && currentAgentOf(ports.store)) return handOver(ctx, waiting)
  const agent = (await importableAgents(ctx)).find(({ name }) => isSameName(name, typed))
  if (!agent) return out.send(words.chat.notFound)
  ports.store.delete(KEY)
  return bringIn(ctx, agent, waiting.fileId)
}

/** A file like any other, for the agent of this chat. */
async function handOver(ctx: BaalContext, { message, messageId }: z.infer<typeof Waiting>): Promise<void> {
  ctx.ports.store.delete(KEY)
  ctx.out.delete({ ref: offerRef(messageId) })
  return talk(ctx, { message: message.caption ?? '', source: message })
}

function offerRef(messageId: number): string {
  return `import:${messageId}`
}

async function importableAgents({ ports, user }: BaalContext): Promise<Agent[]> {
  return (await listAgents(ports.database, user.id)).filter(({ status }) => status === 'running')
}

export async function offerImport(ctx: BaalContext, message: Message): Promise<void> {
  const { ports, words, out } = ctx
  const { document, caption = '' } = message
  if (!document) return
  if ((document.file_size ?? 0) > MAX_BYTES) return out.send(words.import.tooLarge)
  const own = await importableAgents(ctx)
  const typed = caption.replace(/^\/import\S*\s*/i, '').trim()
  const named = /^\/import\b/i.test(caption) ? own.find(({ name }) => isSameName(name, typed)) : undefined
  if (named) return bringIn(ctx, named, document.file_id)
  if (own.length === 0) return offerAgents(ctx, words.chat.noAgents)
  ports.store.put(KEY, { fileId: document.file_id, messageId: message.message_id, message })
  const asFile = currentAgentOf(ports.store) ? [[button(words.import.asFile, `i:file:${message.message_id}`)]] : []
  out.send(words.import.offer({ name: clip(document.file_name ?? '', 100) }), {
    ref: offerRef(message.message_id),
    keyboard: [
      ...own.map(({ id, name }) => [agentButton(words.buttons.bringIn({ agent: name }), 'import', id)]),
      ...asFile,
    ],
  })
}

async function bringIn(ctx: BaalContext, agent: Agent, fileId: string): Promise<void> {
  const { ports, words, out } = ctx
  const imported = await (await ports.agent(agent.id)).importFile(fileId)
  if (imported.kind === 'too_large') return out.show(words.import.tooLarge)
  if (imported.kind === 'refused') {
    const { refused, reasons } = words.import
    return out.show(refused({ reason: `${lookUp(reasons, imported.reason) ?? reasons.other}.` }))
  }
  const { files, messages, soul } = imported
  out.show(words.import.done({ agent: await takeOver(ctx, agent, soul), files, messages }))
}

/** Our own record follows the agent, except for what is not to be had here: then the agent follows. @returns its name */
async function takeOver(
  { ports }: BaalContext,
  agent: Agent,
  soul: { readonly name: string; readonly prompt: string; readonly model: string },
): Promise<string> {
  const name = parseName(soul.name)
  const kept = {
    name: name.ok ? name.value : agent.name,
    prompt: soul.prompt,
    model: isOfferedModel(soul.model) ? soul.model : agent.model,
  }
  if (kept.name !== soul.name || kept.model !== soul.model) {
    await (await ports.agent(agent.id)).configure({ name: kept.name, model: kept.model })
  }
  await saveAgentSettings(ports.database, agent.id, kept, ports.now())
  return kept.name
}
