/**
 * `POST /agents/:id/pending`: an agent says that results of background work wait for someone. They are fetched, written into
 * the outbox of the chats they belong to, and acknowledged only as far as that is done; the sweep covers lost calls.
 */
import { eq } from 'drizzle-orm'
import { type Context, Hono } from 'hono'
import type { PendingMessage } from '../agent-vm/protocol.ts'
import type { Bindings } from './bindings.ts'
import { botIdOf } from './bot-id.ts'
import { agentClientFor } from './chat/agent-client.ts'
import { type Config, parseConfig } from './config.ts'
import { findAgent } from './database/agents.ts'
import { type Database, openDatabase } from './database/database.ts'
import { findMember } from './database/members.ts'
import { agents } from './database/schema.ts'
import { callingAgent } from './inference/calling-agent.ts'
import { describeError, log } from './log.ts'
import { STRANGER_PAUSE_S } from './strangers.ts'

/** Agents asked in one sweep: one call each, well below the platform's limit on calls per event. */
const SWEEP_BATCH = 200
/** As the cron of `index.ts` comes. */
export const SWEEP_EVERY_MS = 15 * 60_000
/** The platform lets so many calls of one event wait for an answer. */
const SWEEP_LANES = 6
/** Results taken over in one call; an agent offers no more at a time, and each may name another chat. */
const MAX_RESULTS = 100

export const agentPending = new Hono<{ Bindings: Bindings }>().post('/agents/:id/pending', async (c) => {
  const config = parseConfig(c.env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const agent = await callingAgent(c, database)
  if (agent === 'too_often') return tooOften(c)
  // The same answer for a wrong key and for another agent's id: neither tells which ids exist.
  if (agent === 'unknown' || agent.id !== c.req.param('id')) return c.json({ error: 'unauthorized' }, 401)
  const { success } = (await c.env.INFERENCE_RATE?.limit({ key: `pending:${agent.id}` })) ?? { success: true }
  if (!success) return tooOften(c)
  const delivered = await collectPending(agent.id, { config, database, env: c.env })
  return c.json({ ok: true, delivered })
})

function tooOften(c: Context): Response {
  return c.json({ error: 'too_many_requests' }, 429, { 'retry-after': String(STRANGER_PAUSE_S) })
}

interface Ports {
  readonly config: Config
  readonly database: Database
  readonly env: Bindings
}

/** @returns how many results are now on their way */
export async function collectPending(agentId: string, { config, database, env }: Ports): Promise<number> {
  const agent = await agentClientFor(agentId, { config, database })
  const messages = (await agent.pending()).messages.toSorted((a, b) => a.id - b.id).slice(0, MAX_RESULTS)
  if (messages.length === 0) return 0
  const durable = new Set<number>()
  for (const [chatId, ofChat] of groupByChat(messages)) {
    const chat = await chatOf(agentId, chatId, { config, database, env })
    if (!chat) {
      // Dropped, or they would hold up everything after them.
      log('warn', 'pending_for_strange_chat', { agent: agentId, count: ofChat.length })
      for (const { id } of ofChat) durable.add(id)
      continue
    }
    const upTo = await chat.deliverPending(agentId, ofChat)
    for (const { id } of ofChat) if (id <= upTo) durable.add(id)
  }
  const last = lastBeforeGap(messages, durable)
  if (last !== undefined) await agent.acknowledge(last)
  return durable.size
}

const CHAT_ID = /^(-?\d{1,16})(:\d{1,16})?$/

/**
 * An agent's machine is not ours to trust: it names chats, and only those may hear of it that it belongs to or that talk to it.
 */
async function chatOf(agentId: string, chatId: string, { config, database, env }: Ports) {
  const userId = Number(CHAT_ID.exec(chatId)?.[1])
  if (!Number.isSafeInteger(userId)) return undefined
  const chat = env.CHAT.getByName(`${botIdOf(config.TELEGRAM_BOT_TOKEN)}:${chatId}`)
  const agent = await findAgent(database, agentId)
  if (agent?.ownerId === userId) return chat
  const member = userId > 0 ? await findMember(database, agentId, userId) : undefined
  if (member?.role === 'blocked') return undefined
  return member?.role === 'visitor' || (await chat.hosts(agentId)) ? chat : undefined
}

/** The last net under lost calls: every running agent is asked now and then. Where there are more, each run takes the next. */
export async function sweepPending(ports: Ports, now: number): Promise<void> {
  const isRunning = eq(agents.status, 'running')
  const portions = Math.max(1, Math.ceil((await ports.database.$count(agents, isRunning)) / SWEEP_BATCH))
  const waiting = await ports.database
    .select({ id: agents.id })
    .from(agents)
    .where(isRunning)
    .orderBy(agents.id)
    .limit(SWEEP_BATCH)
    .offset((Math.floor(now / SWEEP_EVERY_MS) % portions) * SWEEP_BATCH)
  // Several at once: machines that do not answer must not take the run's time from those behind them.
  await Promise.all(Array.from({ length: SWEEP_LANES }, () => sweepLane(waiting, ports)))
}

async function sweepLane(waiting: { readonly id: string }[], ports: Ports): Promise<void> {
  for (let agent = waiting.shift(); agent; agent = waiting.shift()) {
    const { id } = agent
    await collectPending(id, ports).catch((error: unknown) => {
      log('warn', 'pending_sweep_failed', { agent: id, error: describeError(error) })
    })
  }
}

function groupByChat(messages: readonly PendingMessage[]): Map<string, PendingMessage[]> {
  return Map.groupBy(messages, (message) => message.chat_id)
}

/** Acknowledging is "up to": stop before the first result that is not durable yet. */
function lastBeforeGap(messages: readonly PendingMessage[], durable: ReadonlySet<number>): number | undefined {
  let last: number | undefined
  for (const { id } of messages.toSorted((a, b) => a.id - b.id)) {
    if (!durable.has(id)) break
    last = id
  }
  return last
}
