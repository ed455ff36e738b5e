/**
 * Handles what came in: asks the handlers what to do, and makes their answer durable in one transaction (values, outgoing
 * rows, the turn, the update itself as done) before Telegram is called. So a crash repeats a decision, never an effect.
 */
import type { Message, Update } from 'grammy/types'
import { describeError, log } from '../log.ts'
import { UserFacingError } from '../user-facing-error.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { BufferedStore } from './chat-store.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { gather, gatherAnswer, mergeUpdates } from './gathering.ts'
import type { HandlerPorts, HandleUpdate, Handling, TurnInput } from './handling.ts'
import type { Inbox, InboxItem, InboxLane } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import { isStaleIsolate } from './stale-isolate.ts'
import { plainText } from './text/formatted-text.ts'
import { RESEND_BUTTON } from './turn-buttons.ts'
import type { StoredTurn, TurnStore } from './turn-store.ts'

/** After this long a button's spinner is stopped without a word. */
const ANSWER_WITHIN_MS = 700
const MAX_ATTEMPTS = 5
const FIRST_RETRY_MS = 500

export interface IntakePorts {
  readonly database: ChatDatabase
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly turns: TurnStore
  readonly handleUpdate: HandleUpdate
  /** The update as it came in, where its words were sealed meanwhile. */
  openWords(update: Update): Promise<Update>
  /** @param cause what the ids are made from */
  handlerPorts(cause: string, updateId?: number): Promise<{ ports: HandlerPorts; store: BufferedStore }>
  turnIdOf(update: Update): string
  answerCallback(queryId: string, answer?: Handling['answer']): Promise<void>
  words(): DeliveryWords
  onOutgoing(): void
  onTurn(): void
  now(): number
}

export class Intake {
  readonly #ports: IntakePorts

  constructor(ports: IntakePorts) {
    this.#ports = ports
  }

  /** Handles the next update of a lane. @returns when to come back */
  async step(lane: InboxLane): Promise<'more' | number> {
    const { inbox, now } = this.#ports
    const open = inbox.open(lane)
    // Words keep their order; a command that fails does not hold up the next one.
    const first = lane === 'turn' ? open[0] : (open.find(({ nextAt }) => nextAt <= now()) ?? open[0])
    if (!first) return Number.POSITIVE_INFINITY
    if (first.nextAt > now()) return lane === 'turn' ? first.nextAt : Math.min(...open.map(({ nextAt }) => nextAt))
    const gathered = lane === 'turn' ? gather(open) : gatherAnswer(open.slice(open.indexOf(first)))
    if (gathered && gathered.readyAt > now()) return gathered.readyAt
    await this.#handle(gathered?.items ?? [first])
    return 'more'
  }

  async #handle(items: readonly InboxItem[]): Promise<void> {
    const merged = mergeUpdates(items)
    const [first] = items
    if (!merged || !first) return
    const { update, sources } = merged
    const answer = this.#answerOnce(update)
    const timer = setTimeout(() => answer(), ANSWER_WITHIN_MS)
    try {
      if (this.#resend(update, answer)) return this.#ports.inbox.markDone([first.updateId])
      const { ports, store } = await this.#ports.handlerPorts(`u${first.updateId}`, first.updateId)
      const handling = await this.#ports.handleUpdate(await this.#ports.openWords(update), ports)
      this.#commit(items, handling, { store, sources })
      answer(handling.answer)
    } catch (error) {
      if (isStaleIsolate(error)) throw error
      answer()
      this.#failed(items, error)
    } finally {
      clearTimeout(timer)
      answer()
    }
  }

  #commit(
    items: readonly InboxItem[],
    { outgoing, turn }: Handling,
    { store, sources }: { store: BufferedStore; sources: readonly Message[] },
  ): void {
    const { database, inbox, outbox, turns, now } = this.#ports
    const [first] = items
    if (!first) return
    database.transaction(() => {
      // Dropped by a stop while it was being handled: nothing of it may happen any more.
      const isDropped = turn !== undefined && inbox.isDone(first.updateId)
      store.flush()
      outgoing.forEach((action, index) => {
        outbox.add(`u:${first.updateId}:${index}`, action, now())
      })
      if (turn && !isDropped) {
        turns.add(this.#ports.turnIdOf(first.update), storedTurn(turn, sources), now())
      }
      inbox.markDone(items.map(({ updateId }) => updateId))
    })
    if (outgoing.length > 0) this.#ports.onOutgoing()
    if (turn) this.#ports.onTurn()
  }

  #failed(items: readonly InboxItem[], error: unknown): void {
    const { database, inbox, outbox, now, onOutgoing } = this.#ports
    const [first] = items
    if (!first) return
    log('error', 'update_failed', { update: first.updateId, attempt: first.attempts + 1, error: describeError(error) })
    const explained = error instanceof UserFacingError ? error.userMessage : undefined
    if (explained === undefined && first.attempts + 1 < MAX_ATTEMPTS) {
      inbox.retry(first.updateId, now() + FIRST_RETRY_MS * 2 ** first.attempts)
      return
    }
    database.transaction(() => {
      const text = plainText(explained ?? this.#ports.words().updateFailed)
      if (isFromPerson(first.update)) outbox.add(`u:${first.updateId}:failed`, { kind: 'send', text }, now())
      inbox.markDone(items.map(({ updateId }) => updateId))
    })
    onOutgoing()
  }

  /** The one button that belongs to delivery itself. @returns whether it was that */
  #resend(update: Update, answer: (answer?: Handling['answer']) => void): boolean {
    const seq = RESEND_BUTTON.parse(update.callback_query?.data ?? '')
    if (seq === undefined) return false
    const isWanted = this.#ports.outbox.wantAgain(seq, this.#ports.now())
    answer({ text: isWanted ? this.#ports.words().resent : this.#ports.words().resentAlready })
    this.#ports.onOutgoing()
    return true
  }

  #answerOnce(update: Update): (answer?: Handling['answer']) => void {
    const id = update.callback_query?.id
    let answered = id === undefined
    return (answer) => {
      if (answered || id === undefined) return
      answered = true
      this.#ports.answerCallback(id, answer).catch((error: unknown) => {
        log('info', 'callback_not_answered', { update: update.update_id, error: describeError(error) })
      })
    }
  }
}

/** What was gathered belongs to the turn when its own message is among it; a button's turn brings its messages along. */
function storedTurn({ source, sources: given, ...input }: TurnInput, gathered: readonly Message[]): StoredTurn {
  if (given) return { ...input, sources: given }
  if (!source) return { ...input, sources: [] }
  const isAmong = gathered.some(({ message_id }) => message_id === source.message_id)
  return { ...input, sources: isAmong ? gathered : [source] }
}

/** Somebody waits for an answer to these. */
function isFromPerson({ message, callback_query }: Update): boolean {
  return message !== undefined || callback_query !== undefined
}
