/**
 * The Durable Object of one bot, chat and topic: its RPC methods and its alarm, nothing else. What happens in a chat is
 * `chat-engine.ts`.
 *
 * The alarm owns the work: it is retried after a crash and never overlaps itself. Ordinary errors never leave it, because
 * after six failures in a row the platform gives an alarm up; what does leave it says that the code or the storage is stale.
 */
import { DurableObject } from 'cloudflare:workers'
import type { Update } from 'grammy/types'
import type { PendingMessage } from '../../agent-vm/protocol.ts'
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { log } from '../log.ts'
import type { CurrentAgent } from './agents/current-agent.ts'
import type { Urgency } from './call-purse.ts'
import { type ChatDatabase, durableChatDatabase, ensureTables } from './chat-database.ts'
import { ChatEngine, HANDOVER_MS, type Handlers, type Note } from './chat-engine.ts'
import { parseChatName } from './chat-name.ts'
import { openStore } from './chat-store.ts'
import type { DeploymentReport } from './deployment-report.ts'
import { forgetInGroup } from './forget-person.ts'
import { forgetBrought, groupAgentOf, noteBrought } from './group-agents.ts'
import { classifyUpdate, describeDeployment, handleUpdate } from './handle-update.ts'
import type { ChatStore } from './handling.ts'
import { hostsAgent } from './hosts-agent.ts'

/** The platform ends an alarm after 15 minutes: whatever did not let go by the second limit hangs. */
const LIMITS = { handoverMs: HANDOVER_MS, watchdogMs: 14 * 60_000 }
const HANDLERS: Handlers = { classifyUpdate, describeDeployment, handleUpdate }

/** What is known of an update where it comes in; the rest is the handlers' to read. */
export interface IncomingUpdate {
  readonly update_id: number
}

export class Chat extends DurableObject<Bindings> {
  readonly #engine: ChatEngine
  readonly #storage: ChatDatabase

  readonly #limits: typeof LIMITS

  /**
   * @param handlers what Baal says and does; the platform gives none, tests give their own
   * @param limits tests are less patient
   */
  constructor(ctx: DurableObjectState, env: Bindings, handlers: Handlers = HANDLERS, limits: typeof LIMITS = LIMITS) {
    super(ctx, env)
    this.#limits = limits
    const storage = durableChatDatabase(ctx.storage)
    ensureTables(storage)
    this.#storage = storage
    this.#engine = new ChatEngine({
      identity: parseChatName(ctx.id.name ?? ''),
      storage,
      config: parseConfig(env),
      env,
      handlers,
      handoverMs: limits.handoverMs,
      wake: () => this.#wakeAt(Date.now()),
      background: (work) => ctx.waitUntil(work),
    })
    // Work without an alarm, whatever lost it, is taken up again as soon as anything touches the chat.
    void ctx.blockConcurrencyWhile(() => this.poke())
  }

  /** Durable before it resolves: only then Telegram may hear "ok". The same update is taken once. */
  async enqueue(update: IncomingUpdate): Promise<'new' | 'duplicate' | 'ignored'> {
    return this.#engine.enqueue(update as Update)
  }

  async reportDeployment(report: DeploymentReport): Promise<void> {
    await this.#engine.report(report)
  }

  /** @returns the highest id that is durable here; each is delivered once, however often it is offered */
  async deliverPending(agentId: string, messages: readonly PendingMessage[]): Promise<number> {
    return this.#engine.deliverPending(agentId, messages)
  }

  /** Something that is said here because of what happened in another chat; once for each key. */
  async tell(key: string, note: Note): Promise<void> {
    await this.#engine.tell(key, note)
  }

  /** Whether this chat talks to the agent: asked before the agent may speak here unasked. */
  async hosts(agentId: string): Promise<boolean> {
    return hostsAgent(this.#storage, agentId)
  }

  /** What a new topic of this group begins with. */
  async groupAgent(): Promise<CurrentAgent | undefined> {
    return groupAgentOf(openStore(this.#storage))
  }

  /** Somebody brought their agent into a topic of this group. */
  async noteBrought(current: CurrentAgent): Promise<void> {
    this.#inStore((store) => noteBrought(store, current))
  }

  /** It was sent away from a topic. */
  async forgetBrought(agentId: string): Promise<void> {
    this.#inStore((store) => forgetBrought(store, (current) => current.agentId === agentId))
  }

  /** What an ordinary group knew, when it has become this supergroup. */
  async adopt(values: Readonly<Record<string, string>>, agentChat: string): Promise<void> {
    this.#engine.adopt(values, agentChat)
  }

  /** What topics of this chat tell people counts here too. @returns 0, or after how many ms to ask again */
  async takeCall(urgency: Urgency): Promise<number> {
    return this.#engine.takeCall(urgency)
  }

  /** A topic of this chat was refused: nothing goes out until then. */
  async noteSilence(until: number): Promise<void> {
    this.#engine.noteSilence(until)
  }

  /** Nothing of this person is left here; of a private chat nothing at all. Safe to repeat. */
  async forgetPerson(userId: number, agentIds: readonly string[]): Promise<void> {
    if (!this.#engine.isPrivate) return forgetInGroup(this.#storage, userId, agentIds)
    await this.ctx.storage.deleteAll()
    ensureTables(this.#storage)
    this.#engine.beginAnew()
  }

  /** Makes sure that unfinished work has an alarm. */
  async poke(): Promise<void> {
    if (this.#engine.hasWork() && (await this.ctx.storage.getAlarm()) === null) await this.#wakeAt(Date.now())
  }

  override async alarm(): Promise<void> {
    // A new object begins with what is stored: better than an alarm that the platform ends, with every wait in it still open.
    const watchdog = setTimeout(() => this.#startAnew(), this.#limits.watchdogMs)
    try {
      const next = await this.#engine.run()
      if (next !== undefined) await this.#wakeAt(next)
    } finally {
      clearTimeout(watchdog)
    }
  }

  #inStore(write: (store: ChatStore) => void): void {
    this.#storage.transaction(() => {
      const store = openStore(this.#storage)
      write(store)
      store.flush()
    })
  }

  #startAnew(): void {
    log('error', 'chat_hangs', { chat: this.ctx.id.name ?? '' })
    this.ctx.abort('work did not end in time')
  }

  /** Never later than an alarm that is set already: it may be for something newer. */
  async #wakeAt(time: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm()
    if (set === null || time < set) await this.ctx.storage.setAlarm(time)
  }
}
