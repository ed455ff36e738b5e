/** What delivery itself must remember of a chat: beside the handlers' values, under names of its own. */
import type { UserFromGetMe } from 'grammy/types'
import { z } from 'zod'
import { describeError, log } from '../log.ts'
import { LANGUAGES, type Language } from './catalogue/catalogue.ts'
import type { ChatDatabase } from './chat-database.ts'
import { agentChatId } from './chat-name.ts'
import type { ChatIdentity } from './handling.ts'
import type { Destination } from './telegram-client.ts'

/** Rights and names of a bot change rarely. */
const BOT_INFO_KEPT_MS = 6 * 3_600_000

const BotInfo = z.looseObject({ id: z.int(), username: z.string() })
const Facts = z.object({
  /** End of the present penalty. */
  silentUntil: z.number().default(0),
  /** The group was turned into a supergroup with this id. */
  migratedTo: z.int().optional(),
  /** The object of that supergroup has what this one knew. */
  handedOver: z.boolean().default(false),
  /** The agent knows this chat by an earlier id. */
  agentChat: z.string().optional(),
  /** The topic was deleted: what is said goes to the chat itself, until somebody speaks in the topic again. */
  threadGone: z.boolean().default(false),
  /** Nothing reaches this chat: blocked, thrown out, muted. Until somebody is heard there again. */
  closed: z.boolean().default(false),
  /** A group with topics: other objects send into it too. */
  isForum: z.boolean().default(false),
  /** Of whoever asked last. */
  language: z.enum(LANGUAGES).optional().catch(undefined),
  bot: z.object({ info: BotInfo, at: z.number() }).optional(),
})
type Facts = z.infer<typeof Facts>

const KEY = '#delivery'

export class ChatFacts {
  readonly #database: ChatDatabase
  readonly #identity: ChatIdentity
  #facts: Facts
  #isLearning = false

  constructor(identity: ChatIdentity, database: ChatDatabase) {
    this.#identity = identity
    this.#database = database
    const [row] = database.query('SELECT value FROM store WHERE key = ?', KEY)
    this.#facts = Facts.parse(typeof row?.value === 'string' ? JSON.parse(row.value) : {})
  }

  get silentUntil(): number {
    return this.#facts.silentUntil
  }

  get migratedTo(): number | undefined {
    return this.#facts.migratedTo
  }

  get handedOver(): boolean {
    return this.#facts.handedOver
  }

  get language(): Language | undefined {
    return this.#facts.language
  }

  get closed(): boolean {
    return this.#facts.closed
  }

  /** Somebody spoke in the topic, or pressed a button there. */
  heard(): void {
    if (this.#facts.closed || this.#facts.threadGone) this.save({ closed: false, threadGone: false })
  }

  /** Ours, once it was asked for. */
  get botName(): string | undefined {
    return this.#facts.bot?.info.username
  }

  /** The chat's name for the agent. */
  get agentChat(): string {
    return this.#facts.agentChat ?? agentChatId(this.#identity.name)
  }

  destination(): Destination {
    const { migratedTo } = this.#facts
    if (migratedTo !== undefined) return { chatId: migratedTo }
    const { chatId, threadId } = this.#identity
    return this.#facts.threadGone ? { chatId } : { chatId, threadId }
  }

  /** Whether this object alone sends into the chat, so that message ids tell what arrived. */
  sendsAlone(): boolean {
    const { threadId, kind } = this.#identity
    if (threadId !== undefined || this.#facts.isForum || this.#facts.migratedTo !== undefined) return false
    return kind === 'group' || this.#facts.bot?.info.has_topics_enabled !== true
  }

  /** @param fetchInfo `getMe`; waited for only when nothing is known: an update must not wait for Telegram */
  async bot(fetchInfo: () => Promise<UserFromGetMe>, now: number): Promise<UserFromGetMe> {
    const known = this.#facts.bot
    if (!known) return this.#learn(fetchInfo, now)
    if (now - known.at >= BOT_INFO_KEPT_MS && !this.#isLearning) {
      this.#isLearning = true
      void this.#learn(fetchInfo, now)
        .catch((error: unknown) => log('info', 'bot_not_asked', { error: describeError(error) }))
        .finally(() => {
          this.#isLearning = false
        })
    }
    return known.info as unknown as UserFromGetMe
  }

  async #learn(fetchInfo: () => Promise<UserFromGetMe>, now: number): Promise<UserFromGetMe> {
    const info = await fetchInfo()
    this.save({ bot: { info: { ...info }, at: now } })
    return info
  }

  /** Only in memory: the table is empty already. */
  forget(): void {
    this.#facts = Facts.parse({})
  }

  save(change: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...change }
    this.#database.query(
      'INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      KEY,
      JSON.stringify(this.#facts),
    )
  }
}
