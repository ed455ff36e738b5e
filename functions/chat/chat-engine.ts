/**
 * Everything that happens in one chat. Lanes work side by side inside the object's alarm: stops, commands and buttons, words
 * for the agent, reports, the running turn, what is handed to it, and the outbox.
 *
 *   update ─▶ inbox ─▶ intake (handlers decide) ─▶ outbox rows and turn, in one transaction
 *   turn ─▶ agent's events ─▶ progress saved ─▶ preview; at the end ─▶ outbox rows of the final, in one transaction
 *   outbox ─▶ Telegram, one call at a time, within the chat's budget
 */
import type { Update } from 'grammy/types'
import type { PendingMessage } from '../../agent-vm/protocol.ts'
import { collectPending } from '../agent-pending.ts'
import type { Bindings } from '../bindings.ts'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { addMetrics } from '../database/metrics.ts'
import { findUser } from '../database/users.ts'
import { describeError, log } from '../log.ts'
import { MetricsBuffer } from '../metrics/metrics-buffer.ts'
import { sealFor } from '../seal.ts'
import { type AgentClient, agentClientFor } from './agent-client.ts'
import type { Urgency } from './call-purse.ts'
import { ChatBudget } from './chat-budget.ts'
import type { ChatDatabase } from './chat-database.ts'
import { ChatFacts } from './chat-facts.ts'
import { ChatReach } from './chat-reach.ts'
import { openStore } from './chat-store.ts'
import { countingTelegram } from './counting-telegram.ts'
import { type DeliveryWords, deliveryWords } from './delivery-words.ts'
import type { DeploymentReport } from './deployment-report.ts'
import { buildHandlerPorts } from './handler-ports.ts'
import type { ChatIdentity, ClassifyUpdate, DescribeDeployment, HandleUpdate } from './handling.ts'
import { Inbox, type InboxLane, KEPT_AFTER_DONE_MS } from './inbox.ts'
import { Intake } from './intake.ts'
import { watermarkOf } from './message-watermark.ts'
import { Outbox } from './outbox.ts'
import { OutboxSender, SETTLE_MS } from './outbox-sender.ts'
import type { OutgoingMessage } from './outgoing.ts'
import { pause } from './pause.ts'
import { prunePending, takePending } from './pending-delivery.ts'
import { PendingFetch } from './pending-fetch.ts'
import { Reports } from './reports.ts'
import { RowWaiters } from './row-waiters.ts'
import { openWords, sealWords, type WordsSeal } from './sealed-words.ts'
import { sharedPurseOf } from './shared-purse.ts'
import { isStaleIsolate, mayBeStaleIsolate } from './stale-isolate.ts'
import { Stops } from './stops.ts'
import { createTelegramClient, type TelegramClient } from './telegram-client.ts'
import { topicGroupOf } from './topic-group.ts'
import { createTurnRunner } from './turn-assembly.ts'
import { turnIdOf } from './turn-id.ts'
import type { TurnRunner } from './turn-runner.ts'
import { TurnStore } from './turn-store.ts'
import { laneOf } from './update-lane.ts'
import { readNews } from './update-news.ts'
import { findMalformed } from './well-formed-update.ts'
import { WorkLoops } from './work-loops.ts'

/** An alarm may run for 15 minutes; a turn is handed to the next one well before. */
export const HANDOVER_MS = 10 * 60_000
const PRUNE_EVERY_MS = 3_600_000
/** The object of a new supergroup that did not answer is told again. */
const HAND_OVER_AGAIN_MS = 30_000

/** What Baal says and does. */
export interface Handlers {
  readonly classifyUpdate: ClassifyUpdate
  readonly handleUpdate: HandleUpdate
  readonly describeDeployment: DescribeDeployment
}

/** What another chat has to say here. */
export type Note = Pick<OutgoingMessage, 'text' | 'keyboard'>

export interface EngineOptions {
  readonly identity: ChatIdentity
  readonly storage: ChatDatabase
  readonly config: Config
  readonly env: Bindings
  readonly handlers: Handlers
  readonly handoverMs: number
  /** Makes sure that the alarm runs soon. */
  wake(): Promise<void>
  /** For what nobody waits for. */
  background(work: Promise<void>): void
}

export class ChatEngine {
  readonly #options: EngineOptions
  readonly #facts: ChatFacts
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #turns: TurnStore
  readonly #budget: ChatBudget
  readonly #telegram: TelegramClient
  readonly #rows: RowWaiters
  readonly #reports: Reports
  readonly #intake: Intake
  readonly #sender: OutboxSender
  readonly #runner: TurnRunner
  readonly #pendingFetch: PendingFetch
  readonly #reach: ChatReach
  readonly #stops: Stops
  readonly #loops: WorkLoops
  readonly #metrics: MetricsBuffer
  readonly #wordsSeal: WordsSeal
  #prunedAt = 0

  constructor(options: EngineOptions) {
    const { identity, storage, config } = options
    this.#options = options
    this.#wordsSeal = { seal: sealFor(config), chat: identity.name }
    this.#facts = new ChatFacts(identity, storage)
    this.#inbox = new Inbox(storage)
    this.#outbox = new Outbox(storage, watermarkOf(options.env, identity.chatId))
    this.#outbox.recover(now() + SETTLE_MS)
    this.#turns = new TurnStore(storage)
    this.#metrics = new MetricsBuffer(async (increments) => {
      await addMetrics(this.#database(), increments, now())
    })
    this.#telegram = countingTelegram(
      createTelegramClient({ token: config.TELEGRAM_BOT_TOKEN, apiRoot: config.TELEGRAM_API_ROOT }),
      this.#metrics,
    )
    this.#budget = new ChatBudget(
      {
        kind: identity.kind,
        silentUntil: this.#facts.silentUntil,
        shared: sharedPurseOf(identity, options.env),
        // An object that died at work has just been calling; how often, it cannot know any more.
        isSpent: this.#turns.running() !== undefined || this.#outbox.openCount() > 0,
      },
      { now, sleep: pause, saveSilence: (silentUntil) => this.#facts.save({ silentUntil }) },
    )
    this.#rows = new RowWaiters(this.#outbox)
    this.#sender = this.#createSender()
    this.#runner = this.#createRunner()
    this.#pendingFetch = new PendingFetch((agentId) => this.#collectPending(agentId))
    this.#reach = new ChatReach({
      identity,
      storage,
      facts: this.#facts,
      chats: options.env.CHAT,
      stop: () => this.#runner.stop(),
      now,
    })
    this.#stops = new Stops(this.#runner, {
      outbox: this.#outbox,
      botName: () => this.#facts.botName,
      words: this.#words,
      onOutgoing: this.#onOutgoing,
      now,
    })
    this.#reports = new Reports({ ...this.#handling(), describeDeployment: options.handlers.describeDeployment })
    this.#intake = new Intake({
      ...this.#handling(),
      inbox: this.#inbox,
      openWords: (update) => openWords(update, this.#wordsSeal),
      handleUpdate: options.handlers.handleUpdate,
      turnIdOf: (update) => turnIdOf(identity.botId, update.update_id),
      answerCallback: (queryId, answer) => this.#telegram.answerCallback(queryId, answer),
    })
    this.#loops = this.#createLoops()
  }

  /** Durable when it resolves. */
  async enqueue(update: Update): Promise<'new' | 'duplicate' | 'ignored'> {
    if (this.#inbox.has(update.update_id)) {
      if (this.hasWork()) await this.#kick('control')
      return 'duplicate'
    }
    const malformed = findMalformed(update)
    if (malformed !== undefined) {
      log('warn', 'update_malformed', { update: update.update_id, chat: this.#options.identity.name, malformed })
      return 'ignored'
    }
    await this.#note(update)
    this.#inbox.forgetAside(now())
    const lane = await laneOf(update, {
      inbox: this.#inbox,
      classifyUpdate: this.#options.handlers.classifyUpdate,
      classifyPorts: () => this.#classifyPorts(),
      now,
    })
    if (!lane) return 'ignored'
    const kept = await sealWords(update, openStore(this.#options.storage), this.#wordsSeal)
    if (!this.#inbox.add(kept, lane, now())) return 'duplicate'
    if (lane === 'aside') return 'ignored'
    this.#metrics.count('baal_updates_total', { lane })
    if (lane === 'urgent') this.#stops.carryOut(update)
    await this.#kick(lane)
    return 'new'
  }

  async report(report: DeploymentReport): Promise<void> {
    if (this.#reports.add(report)) await this.#kick('reports')
  }

  async deliverPending(agentId: string, messages: readonly PendingMessage[]): Promise<number> {
    const { storage } = this.#options
    const highest = takePending(agentId, messages, { database: storage, outbox: this.#outbox, words: this.#words, now })
    await this.#kick('outbox')
    return highest
  }

  /** For the topics of this chat. @returns 0, or after how many ms to ask again */
  takeCall(urgency: Urgency): number {
    return this.#budget.takeFor(urgency)
  }

  noteSilence(until: number): void {
    this.#budget.silence(until)
  }

  get isPrivate(): boolean {
    return this.#options.identity.kind === 'private'
  }

  /** Everything of this chat was deleted. */
  beginAnew(): void {
    this.#runner.abandon()
    this.#facts.forget()
  }

  async tell(key: string, note: Note): Promise<void> {
    this.#outbox.add(`n:${key}`, { kind: 'send', ...note }, now())
    await this.#kick('outbox')
  }

  adopt(values: Readonly<Record<string, string>>, agentChat: string): void {
    this.#reach.adopt(values, agentChat)
  }

  hasWork(): boolean {
    const counts = [this.#inbox, this.#outbox, this.#turns, this.#reports].map((store) => store.openCount())
    return this.#reach.owesHandOver || counts.some((count) => count > 0)
  }

  /** @returns when to run again, `undefined` when nothing is left */
  async run(): Promise<number | undefined> {
    const handover = new AbortController()
    const timer = setTimeout(() => handover.abort(), this.#options.handoverMs)
    try {
      this.#prune()
      await this.#reach.handOver()
      const next = await this.#loops.run(handover.signal)
      if (!this.#reach.owesHandOver) return next
      return Math.min(next ?? Number.POSITIVE_INFINITY, now() + HAND_OVER_AGAIN_MS)
    } finally {
      clearTimeout(timer)
      // Beside the work, never in its way: whoever writes now does not wait for it.
      this.#options.background(this.#metrics.flush())
    }
  }

  #createLoops(): WorkLoops {
    return new WorkLoops(
      [
        { name: 'urgent', untilLast: true, step: () => this.#intake.step('urgent') },
        { name: 'control', untilLast: true, step: () => this.#intake.step('control') },
        { name: 'turn', untilLast: true, step: () => this.#intake.step('turn') },
        { name: 'reports', untilLast: true, step: () => this.#reports.step() },
        { name: 'turns', step: (over) => this.#runner.step(over) },
        { name: 'steering', step: (over) => this.#runner.steer(over) },
        { name: 'pending', step: () => this.#pendingFetch.step() },
        { name: 'outbox', step: (over) => this.#sendOne(over) },
      ],
      { now, sleep: pause, failed: (lane, error) => this.#failed(lane, error) },
    )
  }

  async #sendOne(over: AbortSignal): Promise<'more' | number> {
    const next = await this.#sender.step(over)
    this.#rows.look()
    return next
  }

  #failed(lane: string, error: unknown): boolean {
    log('error', 'lane_failed', { lane, chat: this.#options.identity.name, error: describeError(error) })
    return isStaleIsolate(error) || (mayBeStaleIsolate(error) && !this.#storageAnswers())
  }

  #storageAnswers(): boolean {
    try {
      this.hasWork()
      return true
    } catch {
      return false
    }
  }

  /** Without a run the alarm is set; within one the lane wakes up. */
  async #kick(lane: InboxLane | 'reports' | 'turns' | 'steering' | 'outbox'): Promise<void> {
    if (!this.#loops.kick(lane)) await this.#options.wake()
  }

  readonly #onOutgoing = (): void => {
    this.#loops.kick('outbox')
  }

  readonly #words = (): DeliveryWords => deliveryWords(this.#facts.language)

  readonly #onTurn = (): void => {
    this.#loops.kick('turns')
    this.#loops.kick('steering')
  }

  /** What handling updates and reports has in common. */
  #handling() {
    return {
      database: this.#options.storage,
      outbox: this.#outbox,
      turns: this.#turns,
      handlerPorts: (cause: string, updateId?: number) => this.#handlerPorts(cause, updateId),
      onOutgoing: this.#onOutgoing,
      onTurn: this.#onTurn,
      words: this.#words,
      now,
    }
  }

  async #handlerPorts(cause: string, updateId: number | undefined) {
    const { identity, storage, config, env } = this.#options
    const store = openStore(storage)
    const ports = buildHandlerPorts({
      chat: identity,
      bot: await this.#bot(),
      config,
      database: this.#database(),
      workflow: env.PROVISION,
      tell: (userId, { key, ...note }) => env.CHAT.getByName(`${identity.botId}:${userId}`).tell(key, note),
      telegram: this.#telegram,
      group: topicGroupOf(identity, env),
      store,
      turns: this.#stops.controlFor(updateId),
      resend: () => this.#resend(),
      agentChat: this.#facts.agentChat,
      cause,
    })
    return { ports, store }
  }

  #resend(): boolean {
    const isWanted = this.#outbox.wantNewestAgain(now())
    this.#onOutgoing()
    return isWanted
  }

  #bot() {
    return this.#facts.bot(() => this.#telegram.getMe(), now())
  }

  #database(): Database {
    const { config } = this.#options
    return openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  }

  #collectPending(agentId: string): Promise<unknown> {
    const { config, env } = this.#options
    return collectPending(agentId, { config, database: this.#database(), env })
  }

  #agent(agentId: string): Promise<AgentClient> {
    return agentClientFor(agentId, { config: this.#options.config, database: this.#database() })
  }

  async #classifyPorts() {
    const { identity, storage } = this.#options
    return { store: openStore(storage), bot: await this.#bot(), chat: identity }
  }

  /** What delivery itself learns from an update. */
  async #note(update: Update): Promise<void> {
    const news = readNews(update)
    if (news.isClosed) this.#outbox.dropAll('closed', now())
    if (news.messageId !== undefined) {
      this.#outbox.noteSeen(news.messageId)
      // A person's own message wipes the draft too.
      this.#runner.wiped()
    }
    await this.#reach.note(news)
    // Perhaps nobody ever speaks under the old id again.
    if (this.#reach.owesHandOver) await this.#options.wake()
  }

  #createSender(): OutboxSender {
    return new OutboxSender({
      outbox: this.#outbox,
      budget: this.#budget,
      telegram: this.#telegram,
      destination: () => this.#facts.destination(),
      mayProbe: () => this.#facts.sendsAlone(),
      words: this.#words,
      agent: (agentId) => this.#agent(agentId),
      onMessage: () => this.#runner.wiped(),
      onClosed: (reason, calledAt) => this.#reach.close(reason, calledAt),
      isClosed: () => this.#facts.closed,
      onThreadGone: () => this.#facts.save({ threadGone: true }),
      onMigrated: (chatId) => void this.#reach.migrate(chatId),
      onTrouble: (outcome) => this.#metrics.count('baal_delivery_total', { outcome }),
      now,
    })
  }

  #createRunner(): TurnRunner {
    const { identity, storage } = this.#options
    return createTurnRunner({
      identity,
      storage,
      facts: this.#facts,
      inbox: this.#inbox,
      outbox: this.#outbox,
      turns: this.#turns,
      budget: this.#budget,
      telegram: this.#telegram,
      rows: this.#rows,
      agent: (agentId) => this.#agent(agentId),
      findUser: (userId) => findUser(this.#database(), userId),
      onTurnEnded: (agentId) => {
        this.#pendingFetch.add(agentId)
        this.#loops.kick('pending')
      },
      words: this.#words,
      onOutgoing: this.#onOutgoing,
      onTurn: this.#onTurn,
      onClosed: (reason, calledAt) => this.#reach.close(reason, calledAt),
      metrics: this.#metrics,
      onMigrated: (chatId) => void this.#reach.migrate(chatId),
      now,
    })
  }

  #prune(): void {
    if (now() - this.#prunedAt < PRUNE_EVERY_MS) return
    this.#prunedAt = now()
    try {
      this.#inbox.prune(now())
      this.#outbox.prune(now())
      this.#turns.prune()
      this.#reports.prune(now() - KEPT_AFTER_DONE_MS)
      prunePending(this.#options.storage, now())
    } catch (error) {
      if (isStaleIsolate(error)) throw error
      log('error', 'prune_failed', { chat: this.#options.identity.name, error: describeError(error) })
    }
  }
}

function now(): number {
  return Date.now()
}
