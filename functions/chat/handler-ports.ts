/** What handlers may use while they decide about one update of this chat. */
import type { UserFromGetMe } from 'grammy/types'
import type { Bindings } from '../bindings.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { sealFor } from '../seal.ts'
import { type AgentClient, AgentRefused, agentClientFor } from './agent-client.ts'
import type { BufferedStore } from './chat-store.ts'
import type { AgentControl, ChatIdentity, HandlerPorts, Import, TurnControl } from './handling.ts'
import { stableIds } from './stable-ids.ts'
import type { TelegramClient } from './telegram-client.ts'
import { classifyFailure } from './telegram-failure.ts'

export interface HandlerContext {
  readonly chat: ChatIdentity
  readonly bot: UserFromGetMe
  readonly config: Config
  readonly database: Database
  readonly workflow: Bindings['PROVISION']
  readonly tell: HandlerPorts['tell']
  readonly telegram: Pick<TelegramClient, 'download'>
  readonly group: HandlerPorts['group']
  readonly store: BufferedStore
  readonly turns: TurnControl
  readonly resend: HandlerPorts['resend']
  readonly agentChat: string
  /** What the ids are made from: the same cause gives the same ids. */
  readonly cause: string
}

export function buildHandlerPorts(context: HandlerContext): HandlerPorts {
  const { chat, bot, config, database, workflow, tell, telegram, group, store, turns, resend, agentChat, cause } =
    context
  const seal = sealFor(config)
  return {
    chat,
    bot,
    config,
    database,
    seal,
    group,
    store,
    turns,
    resend,
    agent: async (agentId) =>
      agentControl(await agentClientFor(agentId, { config, database, seal }), agentChat, telegram),
    tell,
    startDeployment: ({ deploymentId }) => startDeployment(workflow, deploymentId),
    ids: stableIds(config.BOT_ENCRYPTION_KEY, chat.name, cause),
    now: () => Date.now(),
  }
}

function agentControl(client: AgentClient, chatId: string, telegram: HandlerContext['telegram']): AgentControl {
  return {
    clear: async () => ({ deleted: (await client.clear(chatId)).deleted }),
    compact: () => client.compact(chatId),
    configure: (update) => client.configure(update),
    async health() {
      const { version, model, uptime_s, turns_running } = await client.health()
      return { version, model, uptimeS: uptime_s, turnsRunning: turns_running }
    },
    listFiles: async (dir) => (await client.listFiles(dir)).entries,
    readText: (path, maxBytes) => readText(client, path, maxBytes),
    async writeText(path, content) {
      const bytes = new TextEncoder().encode(content)
      await client.putFile(path, new Response(bytes).body ?? new ReadableStream(), bytes.byteLength)
    },
    schedules: async () => (await client.schedules(chatId)).schedules,
    cancelSchedule: (id) => client.cancelSchedule(chatId, id),
    importFile: (fileId) => importFile(client, fileId, telegram),
  }
}

/** From Telegram straight into the agent, never held as a whole. */
async function importFile(
  client: AgentClient,
  fileId: string,
  telegram: Pick<TelegramClient, 'download'>,
): Promise<Import> {
  try {
    const { body } = await telegram.download(fileId)
    const { files, messages, config } = await client.importAll(body)
    const { name, system_prompt: prompt, model } = config
    return { kind: 'done', files, messages, soul: { name, prompt, model } }
  } catch (error) {
    if (error instanceof AgentRefused) return { kind: 'refused', reason: error.reason }
    if (classifyFailure(error).kind === 'too_large') return { kind: 'too_large' }
    throw error
  }
}

async function readText(client: AgentClient, path: string, maxBytes: number): Promise<string | undefined> {
  try {
    const { body } = await client.getFile(path)
    return await firstText(body, maxBytes)
  } catch (error) {
    if (error instanceof AgentRefused && error.status === 404) return undefined
    throw error
  }
}

/** The beginning alone: a workspace file may be larger than the memory. */
async function firstText(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let text = ''
  let left = maxBytes
  try {
    while (left > 0) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value.subarray(0, left), { stream: true })
      left -= value.byteLength
    }
  } finally {
    await reader.cancel()
  }
  return text
}

/** The Workflow's id is made from the deployment's: asking twice starts it once. */
async function startDeployment(workflow: Bindings['PROVISION'], deploymentId: string): Promise<void> {
  const id = `deploy-${deploymentId}`
  try {
    await workflow.create({ id, params: { deploymentId } })
  } catch (error) {
    if (!(error instanceof Error) || !/already_exists|already exists/i.test(error.message)) throw error
  }
}
