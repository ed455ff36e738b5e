/** Puts together what runs this chat's turns: the runner, a run per turn, its signs of life, its files. */
import type { User } from '../database/users.ts'
import { describeError, log } from '../log.ts'
import type { Metrics } from '../metrics/metrics-buffer.ts'
import type { AgentClient } from './agent-client.ts'
import { languageOf } from './catalogue/catalogue.ts'
import type { ChatBudget } from './chat-budget.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { ChatFacts } from './chat-facts.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { draftIdOf } from './draft-id.ts'
import { previewRef } from './final.ts'
import { previewKey } from './finish-turn.ts'
import type { ChatIdentity } from './handling.ts'
import type { Inbox } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import { OwedStops } from './owed-stops.ts'
import { pause } from './pause.ts'
import type { RowWaiters } from './row-waiters.ts'
import { Streamer } from './streamer.ts'
import type { TelegramClient } from './telegram-client.ts'
import { plainText } from './text/formatted-text.ts'
import { STOP_BUTTON } from './turn-buttons.ts'
import { type MissingFile, prepareTurn } from './turn-preparation.ts'
import { type TurnOutcome, TurnRun } from './turn-run.ts'
import { TurnRunner } from './turn-runner.ts'
import type { PreparedTurn, TurnRow, TurnStore } from './turn-store.ts'

export interface TurnParts {
  readonly identity: ChatIdentity
  readonly storage: ChatDatabase
  readonly facts: ChatFacts
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly turns: TurnStore
  readonly budget: ChatBudget
  readonly telegram: TelegramClient
  readonly rows: RowWaiters
  agent(agentId: string): Promise<AgentClient>
  findUser(userId: number): Promise<User | undefined>
  /** What the agent did in the background may wait to be fetched. */
  onTurnEnded(agentId: string): void
  words(): DeliveryWords
  onOutgoing(): void
  /** There is something to run, or to hand to what runs. */
  onTurn(): void
  onClosed(reason: string, calledAt: number): void
  readonly metrics: Metrics
  onMigrated(chatId: number): void
  now(): number
}

export function createTurnRunner(parts: TurnParts): TurnRunner {
  const { storage, facts, inbox, outbox, turns, agent, onTurnEnded, words, onOutgoing, now } = parts
  const owedStops = new OwedStops({ turns, agent, agentChat: () => facts.agentChat, now })
  return new TurnRunner({
    database: storage,
    turns,
    inbox,
    outbox,
    owedStops,
    agentChat: () => facts.agentChat,
    agent,
    createRun: (row) => createRun(row, owedStops, parts),
    prepare: (row, client, signal) => prepare(row, { agent: client, signal }, parts),
    onTurnEnded,
    words,
    onOutgoing,
    now,
  })
}

function createRun(row: TurnRow, owedStops: OwedStops, parts: TurnParts): TurnRun {
  const { identity, storage, facts, outbox, turns, now } = parts
  // In the background: what is said before it is known is said in the language of the last turn.
  void learnLanguage(row.input.user.id, parts)
  return new TurnRun(row, {
    database: storage,
    turns,
    outbox,
    streamer: createStreamer(row, parts),
    agent: parts.agent,
    prepare: (turn, agent, signal) => prepare(turn, { agent, signal }, parts),
    agentChat: facts.agentChat,
    settleStops: (turn, agent) => owedStops.settle(turn, agent),
    quiet: row.input.quiet ?? false,
    isGroup: identity.kind === 'group',
    words: parts.words,
    onStarted: parts.onTurn,
    onOutgoing: parts.onOutgoing,
    ...watchTurn(row, parts),
    now,
    sleep: pause,
  })
}

/** Counts the turn, and says in the log how it ended: ids and times, no words of it. */
function watchTurn({ turnId, input, startedAt }: TurnRow, { identity, metrics, now }: TurnParts) {
  const elapsedMs = () => now() - (startedAt ?? now())
  return {
    onFirstWords: () => metrics.observe('baal_turn_first_words_seconds', elapsedMs()),
    onEnded({ result, code }: TurnOutcome) {
      const ms = elapsedMs()
      metrics.count('baal_turns_total', { result })
      if (code !== undefined) metrics.count('baal_turn_errors_total', { code })
      metrics.observe('baal_turn_seconds', ms)
      log('info', 'turn_ended', { turn: turnId, agent: input.agentId, chat: identity.name, result, code, ms })
    },
  }
}

function createStreamer({ turnId, input, startedAt }: TurnRow, parts: TurnParts): Streamer {
  const { identity, facts, outbox, budget, telegram, rows, now } = parts
  const ref = previewRef(turnId)
  // Built when it is shown: whose language counts may not be known yet.
  const keyboard = () => [[STOP_BUTTON.build(parts.words().stop, turnId)]]
  const replyTo = identity.kind === 'group' ? input.sources[0]?.message_id : undefined
  const to = () => facts.destination()
  const openPreview = async (text: Parameters<TelegramClient['sendText']>[1], signal: AbortSignal) => {
    const key = previewKey(turnId)
    const reply = replyTo === undefined ? {} : { replyTo }
    outbox.add(key, { kind: 'send', ref, disposable: true, text, keyboard: keyboard(), ...reply }, now())
    parts.onOutgoing()
    await rows.ended(key, signal)
    return outbox.resolve({ ref })
  }
  return new Streamer(
    {
      mode: identity.kind === 'private' ? 'draft' : 'edit',
      kind: identity.kind,
      previewId: outbox.resolve({ ref }),
      startedAt: startedAt ?? now(),
    },
    {
      budget,
      sendDraft: (text) => telegram.sendDraft(to(), draftIdOf(turnId), text),
      sendTyping: () => telegram.sendTyping(to()),
      editPreview: (messageId, text) => telegram.editPreview(to(), messageId, text, keyboard()),
      onEditing: () => parts.turns.markEditing(turnId, true),
      openPreview,
      onClosed: parts.onClosed,
      onMigrated: parts.onMigrated,
      onThreadGone: () => facts.save({ threadGone: true }),
      now,
      sleep: pause,
    },
  )
}

const MISSING_FILE = {
  too_large: 'incomingTooLarge',
  no_room: 'incomingNoRoom',
  failed: 'incomingFailed',
} as const satisfies Record<MissingFile['reason'], keyof DeliveryWords>

async function prepare(
  row: TurnRow,
  { agent, signal }: { agent: AgentClient; signal: AbortSignal },
  parts: TurnParts,
): Promise<PreparedTurn> {
  const { storage, telegram, turns, outbox, words, now } = parts
  const { message, attachments, problems } = await prepareTurn(row.input, turns.saidMeanwhile(row.input), {
    telegram,
    agent,
  })
  const prepared = { message, attachments: [...attachments] }
  // Stopped, or in other hands: nothing is kept, and nobody is told.
  if (signal.aborted) return prepared
  storage.transaction(() => {
    turns.savePrepared(row.turnId, prepared)
    problems.forEach(({ name, reason }, index) => {
      const text = words()[MISSING_FILE[reason]](name)
      outbox.add(`t:${row.turnId}:media:${index}`, { kind: 'send', text: plainText(text) }, now())
    })
  })
  if (problems.length > 0) parts.onOutgoing()
  return prepared
}

async function learnLanguage(userId: number, { facts, findUser }: TurnParts): Promise<void> {
  try {
    const user = await findUser(userId)
    const language = user && languageOf(user)
    if (language && language !== facts.language) facts.save({ language })
  } catch (error) {
    log('warn', 'language_not_read', { error: describeError(error) })
  }
}
