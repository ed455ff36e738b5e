/**
 * Whether this chat can be reached, and under which id: closed while the bot is blocked or thrown out, moved when a group
 * became a supergroup. Learned from updates, and from how Telegram answers calls.
 */
import type { Bindings } from '../bindings.ts'
import { describeError, log } from '../log.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { ChatFacts } from './chat-facts.ts'
import { chatName } from './chat-name.ts'
import type { ChatIdentity } from './handling.ts'
import type { UpdateNews } from './update-news.ts'

export interface ReachPorts {
  readonly identity: ChatIdentity
  readonly storage: ChatDatabase
  readonly facts: ChatFacts
  readonly chats: Bindings['CHAT']
  /** Nobody hears an answer any more. */
  stop(): void
  now(): number
}

export class ChatReach {
  readonly #ports: ReachPorts
  /** When somebody was last heard in this chat, in this life of the object. */
  #heardAt = 0

  constructor(ports: ReachPorts) {
    this.#ports = ports
  }

  async note({ isHeard, isForum, migratedTo, isClosed }: UpdateNews): Promise<void> {
    const { facts, now } = this.#ports
    if (isHeard) {
      this.#heardAt = now()
      facts.heard()
    }
    if (isForum) facts.save({ isForum: true })
    if (migratedTo !== undefined) await this.migrate(migratedTo)
    if (isClosed) this.close('the bot was blocked or removed', now())
  }

  /** @param calledAt when the call went out that says so: whoever was heard after that is back */
  close(reason: string, calledAt: number): void {
    const { identity, facts, stop } = this.#ports
    if (this.#heardAt > calledAt) return
    facts.save({ closed: true })
    log('info', 'chat_closed', { chat: identity.name, reason })
    stop()
  }

  /** The group goes on under another id, with another object: it gets what this one knows. */
  async migrate(chatId: number): Promise<void> {
    const { facts } = this.#ports
    if (facts.migratedTo !== chatId) facts.save({ migratedTo: chatId, handedOver: false })
    await this.handOver()
  }

  /** The other object has not heard of it yet. */
  get owesHandOver(): boolean {
    return this.#ports.facts.migratedTo !== undefined && !this.#ports.facts.handedOver
  }

  /** Tried again with every run until the other object has it. */
  async handOver(): Promise<void> {
    const { identity, storage, facts, chats } = this.#ports
    const { migratedTo, handedOver, agentChat } = facts
    if (migratedTo === undefined || handedOver) return
    try {
      const rows = storage.query("SELECT key, value FROM store WHERE key NOT LIKE '#%'")
      const values = Object.fromEntries(rows.map(({ key, value }) => [String(key), String(value)]))
      await chats.getByName(chatName(identity.botId, migratedTo)).adopt(values, agentChat)
      facts.save({ handedOver: true })
    } catch (error) {
      log('error', 'chat_not_handed_over', { chat: identity.name, error: describeError(error) })
    }
  }

  /** The values of a group that was turned into this supergroup. What is known here already stays. */
  adopt(values: Readonly<Record<string, string>>, agentChat: string): void {
    const { storage, facts } = this.#ports
    storage.transaction(() => {
      for (const [key, value] of Object.entries(values)) {
        storage.query('INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING', key, value)
      }
      facts.save({ agentChat })
    })
  }
}
