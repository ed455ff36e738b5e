/**
 * Sends the outbox, one row after the other, and decides what each of Telegram's answers means for the row.
 *
 * Telegram has no idempotency key. A send whose outcome is unknown is looked for before it is repeated (`unknown-send.ts`);
 * where that is impossible the person is told and may ask for it again. Edits, deletions and reactions are repeated safely.
 */
import { describeError, log } from '../log.ts'
import { type AgentClient, AgentNotReady, AgentRefused, AgentUnreachable } from './agent-client.ts'
import type { Urgency } from './call-purse.ts'
import type { ChatBudget } from './chat-budget.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { bodyOf, keyboardOf } from './message-body.ts'
import { FALLBACK, type Outbox, type OutboxRow } from './outbox.ts'
import type { OutgoingMessage } from './outgoing.ts'
import { type AgentFile, FileTooLarge, openOutgoingFile } from './outgoing-file.ts'
import { backoff, isRepeatable, judgeFailure } from './send-verdict.ts'
import type { Destination, TelegramClient } from './telegram-client.ts'
import { classifyFailure, TelegramFailure } from './telegram-failure.ts'
import { plainText } from './text/formatted-text.ts'
import { resolveUnknownSend } from './unknown-send.ts'

/** The run ended before the call's turn had come: it was not made. */
class NotCalled extends TelegramFailure {
  constructor() {
    super('retry_after', 'the run ended first')
  }
}

/** A lost call may still be under way: Telegram is given this long before anybody looks for its effect. */
export const SETTLE_MS = 2_000
/** Files are fetched anew for each attempt. */
const MAX_FILE_ATTEMPTS = 4
/** After this long nobody waits for a message any more. */
const GIVE_UP_MS = 24 * 3_600_000

export interface OutboxSenderPorts {
  readonly outbox: Outbox
  readonly budget: ChatBudget
  readonly telegram: TelegramClient
  destination(): Destination
  /** False in topics: other objects send into the same chat, so ids tell nothing. */
  mayProbe(): boolean
  agent(agentId: string): Promise<Pick<AgentClient, 'getFile' | 'exportAll'>>
  words(): DeliveryWords
  /** A message appeared in the chat: whatever preview was shown is gone. */
  onMessage(): void
  /** Nothing reaches this chat any more, as far as a call of that time can tell. */
  onClosed(reason: string, calledAt: number): void
  /** Since then nobody has been heard there. */
  isClosed(): boolean
  /** The topic this chat belongs to is gone. */
  onThreadGone(): void
  /** The group has another id from now on. */
  onMigrated(chatId: number): void
  /** A message met trouble, and what became of it: for the counters. */
  onTrouble?(outcome: string): void
  now(): number
}

export class OutboxSender {
  readonly #ports: OutboxSenderPorts

  constructor(ports: OutboxSenderPorts) {
    this.#ports = ports
  }

  /**
   * Sends or looks for the first open row.
   * @param over a row whose turn has not come by then is left to the next run: a penalty may be longer than any run
   * @returns when to come back
   */
  async step(over?: AbortSignal): Promise<'more' | number> {
    const { outbox, budget, now } = this.#ports
    const row = outbox.next()
    if (!row) return Number.POSITIVE_INFINITY
    if (this.#ports.isClosed()) {
      outbox.dropAll('closed', now())
      return 'more'
    }
    const notBefore = Math.max(row.nextAt, budget.silentUntil)
    if (notBefore > now()) return notBefore
    if (now() - row.createdAt > GIVE_UP_MS) outbox.end(row.seq, 'failed', 'too old', now())
    else if (row.state === 'pending' && this.#isShown(row)) outbox.end(row.seq, 'dropped', 'shown in one piece', now())
    else if (row.state === 'pending') await this.#send(row, over)
    else if (isRepeatable(row.action)) outbox.markPending(row.seq, 0)
    else await this.#resolveUnknown(row, over)
    return 'more'
  }

  /** Parts of a rich message, for the case that it had to be sent as text. */
  #isShown({ action }: OutboxRow): boolean {
    return 'insteadOfRich' in action && this.#ports.outbox.wentRich(action.insteadOfRich ?? '')
  }

  async #send(row: OutboxRow, over: AbortSignal | undefined): Promise<void> {
    const { outbox, now } = this.#ports
    let calledAt: number | undefined
    if (row.action.kind === 'edit' && outbox.resolve(row.action.target) === undefined) return this.#sendInstead(row)
    try {
      const alone = row.action.kind !== 'agent_file'
      const messageId = await this.#budgetUntil(over).call(
        'message',
        async () => {
          // A file is opened when its turn has come: its stream would not survive a long wait.
          const perform = await this.#prepare(row)
          // Only now: a row that still waits for its turn has certainly not been sent.
          outbox.markSending(row.seq)
          calledAt = now()
          return perform()
        },
        { alone },
      )
      outbox.markSent(row, messageId, now())
      if (messageId !== undefined && row.action.kind !== 'edit') this.#ports.onMessage()
    } catch (error) {
      if (error instanceof NotCalled) return
      const isCalled = calledAt !== undefined
      if (row.action.kind === 'agent_file' && this.#fileFailed(row, row.action, { error, isCalled })) return
      this.#failed(row, classifyFailure(error), calledAt ?? now())
    }
  }

  /** Does what may fail before Telegram is called. @returns the one call */
  async #prepare({ action, fallbacks }: OutboxRow): Promise<() => Promise<number | undefined>> {
    const { telegram, outbox } = this.#ports
    const to = this.#destination(fallbacks)
    switch (action.kind) {
      case 'send':
        return () => telegram.sendText(to, bodyOf(action, fallbacks), sendOptionsOf(action, fallbacks))
      case 'edit': {
        const id = outbox.resolve(action.target)
        return async () => {
          if (id === undefined) return undefined
          await telegram.editText(to, id, bodyOf(action, fallbacks), keyboardOf(action, fallbacks))
          return id
        }
      }
      case 'delete': {
        const id = outbox.resolve(action.target)
        return async () => (id === undefined ? undefined : nothing(telegram.deleteMessage(to, id)))
      }
      case 'react':
        return () => nothing(telegram.react(to, action.messageId, action.emoji))
      case 'name_topic':
        return () => nothing(telegram.nameTopic(to, action.name))
      case 'offer_commands':
        return () => nothing(telegram.offerCommands(to, action.commands))
      case 'document': {
        const { name, content, caption } = action
        const upload = { as: 'document', name, content: new TextEncoder().encode(content), caption } as const
        return () => telegram.sendUpload(to, upload, {})
      }
      case 'agent_file': {
        const agent = await this.#ports.agent(action.agentId)
        const asDocument = (fallbacks & FALLBACK.asDocument) !== 0
        const file = await openOutgoingFile(agent, action, { asDocument })
        return () => telegram.sendUpload(to, { ...file, caption: captionOf(action, fallbacks) }, {})
      }
    }
  }

  #destination(fallbacks: number): Destination {
    const to = this.#ports.destination()
    return (fallbacks & FALLBACK.noThread) === 0 ? to : { chatId: to.chatId }
  }

  #failed(row: OutboxRow, failure: TelegramFailure, calledAt: number): void {
    const { outbox, budget, now } = this.#ports
    const verdict = judgeFailure(row, failure)
    this.#ports.onTrouble?.(verdict.kind)
    switch (verdict.kind) {
      case 'again':
        if (failure.kind === 'thread_gone') this.#ports.onThreadGone()
        outbox.markPending(row.seq, now() + verdict.inMs, {
          fallbacks: verdict.fallback ?? 0,
          isLost: failure.kind === 'unknown',
        })
        break
      case 'wait':
        if (failure.kind === 'unauthorized') log('error', 'bot_token_refused', { error: failure.message })
        outbox.markPending(row.seq, Math.max(budget.silentUntil, now() + verdict.inMs), { counts: false })
        break
      case 'look':
        outbox.markUnknown(row.seq, now() + SETTLE_MS, 0)
        break
      case 'holds':
        outbox.markSent(row, 'target' in row.action ? outbox.resolve(row.action.target) : undefined, now())
        break
      case 'send_instead':
        this.#sendInstead(row)
        break
      case 'give_up':
        this.#giveUp(row, failure)
        break
      case 'closed':
        outbox.dropAll(failure.kind, now(), calledAt)
        this.#ports.onClosed(failure.message, calledAt)
        break
      case 'migrated':
        this.#ports.onMigrated(verdict.chatId)
        outbox.markPending(row.seq, now(), { fallbacks: FALLBACK.noThread | FALLBACK.noReply })
        break
    }
  }

  /** An edit whose message is gone becomes a message of its own, under the same name. */
  #sendInstead(row: OutboxRow): void {
    if (row.action.kind !== 'edit') return
    const { target, kind: _, ...message } = row.action
    const ref = 'ref' in target ? { ref: target.ref } : {}
    this.#ports.outbox.replace(row.seq, { kind: 'send', ...ref, ...message }, this.#ports.now())
  }

  #giveUp(row: OutboxRow, failure: TelegramFailure): void {
    const { outbox, words, now } = this.#ports
    const { action, fallbacks } = row
    log('error', 'message_not_accepted', { row: row.key, kind: action.kind, error: failure.message })
    const isPreview = action.kind === 'send' && action.disposable === true
    const isAwaited = (action.kind === 'send' || action.kind === 'edit') && !action.silent && !isPreview
    if (isAwaited && (fallbacks & FALLBACK.honestLine) === 0) {
      // In its place, so that nobody waits for it, and a preview does not stay.
      const line = { ...action, text: plainText(words().notAccepted), keyboard: [] }
      outbox.replace(row.seq, line, now(), FALLBACK.honestLine)
      return
    }
    outbox.end(row.seq, 'failed', failure.message, now())
    if (action.kind === 'agent_file' || action.kind === 'document') this.#say(row, words().fileRefused(action.name))
    // Some groups allow no reactions; what it would have said is said in words.
    if (action.kind === 'react' && action.emoji !== undefined) this.#say(row, words().seen, action.messageId)
  }

  /** @returns false when it was Telegram that failed */
  #fileFailed(
    row: OutboxRow,
    { name }: AgentFile,
    { error, isCalled }: { error: unknown; isCalled: boolean },
  ): boolean {
    const { outbox, now } = this.#ports
    const cause = causeOf(error)
    const tell = (words: string) => {
      outbox.end(row.seq, 'failed', describeError(error), now())
      this.#say(row, words)
      return true
    }
    if (cause instanceof FileTooLarge) return tell(this.#ports.words().fileTooLarge(name))
    if (cause instanceof AgentRefused || cause instanceof AgentNotReady)
      return tell(this.#ports.words().fileMissing(name))
    // Without a call it certainly was not sent, whatever is in the way of the machine.
    if (isCalled && !(cause instanceof AgentUnreachable)) return false
    if (row.attempts + 1 >= MAX_FILE_ATTEMPTS) return tell(this.#ports.words().fileUnreachable(name))
    outbox.postpone(row.seq, now() + backoff(row.attempts))
    return true
  }

  async #resolveUnknown(row: OutboxRow, over: AbortSignal | undefined): Promise<void> {
    const { outbox, budget, now } = this.#ports
    const calledAt = now()
    try {
      await resolveUnknownSend(row, { ...this.#ports, budget: this.#budgetUntil(over) })
    } catch (error) {
      if (error instanceof NotCalled) return
      const failure = classifyFailure(error)
      if (failure.kind === 'blocked' || failure.kind === 'chat_gone') {
        outbox.dropAll(failure.kind, now(), calledAt)
        this.#ports.onClosed(failure.message, calledAt)
        return
      }
      log('info', 'arrival_undecided', { row: row.key, error: failure.message })
      const again = now() + backoff(row.unknowns)
      outbox.markUnknown(row.seq, Math.max(again, budget.silentUntil), outbox.find(row.seq)?.probed ?? 0)
    }
  }

  /** @throws {NotCalled} */
  #budgetUntil(over: AbortSignal | undefined): Pick<ChatBudget, 'call'> {
    const { budget } = this.#ports
    return {
      async call<T>(urgency: Urgency, call: () => Promise<T>, options: { alone?: boolean } = {}) {
        let isCalled = false
        const made = () => {
          isCalled = true
          return call()
        }
        const result = await budget.call(urgency, made, { ...options, ...(over ? { signal: over } : {}) })
        if (!isCalled) throw new NotCalled()
        return result
      },
    }
  }

  #say(row: OutboxRow, words: string, replyTo?: number): void {
    const reply = replyTo === undefined ? {} : { replyTo, silent: true }
    this.#ports.outbox.add(`${row.key}#problem`, { kind: 'send', text: plainText(words), ...reply }, this.#ports.now())
  }
}

function captionOf({ caption }: AgentFile, fallbacks: number) {
  return caption && (fallbacks & FALLBACK.plainText) !== 0 ? plainText(caption.text) : caption
}

function sendOptionsOf(message: OutgoingMessage, fallbacks: number) {
  const { askReply, silent, replyTo } = message
  return {
    keyboard: keyboardOf(message, fallbacks),
    askReply,
    silent,
    replyTo: (fallbacks & FALLBACK.noReply) === 0 ? replyTo : undefined,
  }
}

async function nothing(call: Promise<void>): Promise<undefined> {
  await call
}

/** What broke an upload lies below the client's own error. */
function causeOf(error: unknown): unknown {
  let current = error
  while (current instanceof Error) {
    if (
      current instanceof FileTooLarge ||
      current instanceof AgentUnreachable ||
      current instanceof AgentRefused ||
      current instanceof AgentNotReady
    ) {
      return current
    }
    current = 'error' in current ? current.error : current.cause
  }
  return error
}
