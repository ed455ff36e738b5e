/**
 * The journal of turns: what must survive a `kill -9`. Every step of a turn is one transaction here before anything of it is
 * shown or the next begins; see `storage/database.ts` for what "durable" means.
 */
import { z } from 'zod'
import type { History } from '../history/history.ts'
import type { PendingStore } from '../pending.ts'
import { AgentEvent, DoneReason } from '../protocol.ts'
import type { Database } from '../storage/database.ts'
import { type JournalledCall, Origin, Phase, type Steer, type Turn, TurnRequest, type TurnStep } from './turn.ts'
import { FIRST_EVENT_ID, type LoggedEvent } from './turn-log.ts'

/** Longer than Telegram repeats an update (24 h), so that a repeated one always finds its turn. */
export const TURN_KEEP_MS = 7 * 86_400_000
/** Ids of deltas are not stored. After a restart they go on so far behind the stored ones that none is used twice. */
const RESUMED_ID_GAP = 1_000_000

const TurnRow = z.object({
  turn_id: z.string(),
  chat_id: z.string(),
  history_id: z.string(),
  origin: Origin,
  request: z.string(),
  phase: Phase,
  iterations: z.int(),
  resumes: z.int(),
  next_event: z.int(),
  done_reason: DoneReason.nullable(),
})
const CallRow = z.object({
  position: z.int(),
  call: z.string(),
  state: z.enum(['planned', 'begun', 'finished']),
  result: z.string().nullable(),
})
const StoredCall = z.object({
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  problem: z.string().exactOptional(),
  note: z.string().exactOptional(),
})
const StoredResult = z.object({
  ok: z.boolean(),
  content: z.string(),
  summary: z.string(),
  files: z.array(z.object({ path: z.string(), caption: z.string().exactOptional() })).exactOptional(),
})

export type NewTurn = Pick<Turn, 'turnId' | 'chatId' | 'historyId' | 'origin' | 'request'>

export class Journal {
  readonly #database: Database
  readonly #history: History
  readonly #pending: PendingStore

  constructor(database: Database, history: History, pending: PendingStore) {
    this.#database = database
    this.#history = history
    this.#pending = pending
  }

  accept(turn: NewTurn): void {
    this.#database
      .prepare('INSERT INTO turns (turn_id, chat_id, history_id, origin, request, phase) VALUES (?, ?, ?, ?, ?, ?)')
      .run(turn.turnId, turn.chatId, turn.historyId, turn.origin, JSON.stringify(turn.request), 'queued')
  }

  find(turnId: string): Turn | undefined {
    const row = this.#database.prepare('SELECT * FROM turns WHERE turn_id = ?').get(turnId)
    return row && readTurn(row)
  }

  /** Turns that did not end, in the order they were asked for. */
  open(): Turn[] {
    return this.#database.prepare("SELECT * FROM turns WHERE phase <> 'done' ORDER BY seq").all().map(readTurn)
  }

  /** For a turn of an earlier life of the server: the first event id that no reader can have seen. */
  skipEventIds(turnId: string): number {
    const row = this.#database
      .prepare('UPDATE turns SET next_event = next_event + ? WHERE turn_id = ? RETURNING next_event')
      .get(RESUMED_ID_GAP, turnId)
    return Number(row?.next_event ?? FIRST_EVENT_ID)
  }

  resume(turn: Turn): Turn {
    this.#database.prepare('UPDATE turns SET resumes = resumes + 1 WHERE turn_id = ?').run(turn.turnId)
    return { ...turn, resumes: turn.resumes + 1 }
  }

  calls(turnId: string): JournalledCall[] {
    const rows = this.#database.prepare('SELECT * FROM tool_calls WHERE turn_id = ? ORDER BY position').all(turnId)
    return rows.map(readCall)
  }

  commit(turn: Turn, step: TurnStep, events: readonly LoggedEvent[], nextEventId: number): void {
    const surely = step.begin?.surely || step.done?.result
    if (surely) this.#database.durably(() => this.#write(turn, step, events, nextEventId))
    else this.#database.transaction(() => this.#write(turn, step, events, nextEventId))
  }

  /** Events after `afterId`; `turn` itself, which is always number 1, is not stored. */
  events(turnId: string, afterId: number): LoggedEvent[] {
    return this.#database
      .prepare('SELECT id, data FROM events WHERE turn_id = ? AND id > ? ORDER BY id')
      .all(turnId, afterId)
      .map((row) => ({ id: Number(row.id), data: String(row.data) }))
  }

  sentFiles(turnId: string): { path: string; caption?: string }[] {
    return this.events(turnId, 0).flatMap(({ data }) => {
      const event = AgentEvent.parse(JSON.parse(data))
      if (event.type !== 'file') return []
      return [{ path: event.path, ...(event.caption !== undefined && { caption: event.caption }) }]
    })
  }

  /** @returns `known`: this steer was accepted before */
  steer(turnId: string, message: string, steerId: string | undefined): 'accepted' | 'known' {
    const { changes } = this.#database
      .prepare('INSERT OR IGNORE INTO steers (turn_id, steer_id, message) VALUES (?, ?, ?)')
      .run(turnId, steerId ?? null, message)
    return Number(changes) > 0 ? 'accepted' : 'known'
  }

  knowsSteer(steerId: string): boolean {
    return this.#database.prepare('SELECT 1 FROM steers WHERE steer_id = ?').get(steerId) !== undefined
  }

  waitingSteers(turnId: string): Steer[] {
    return this.#database
      .prepare('SELECT id, message FROM steers WHERE turn_id = ? AND taken = 0 ORDER BY id')
      .all(turnId)
      .map((row) => ({ id: Number(row.id), message: String(row.message) }))
  }

  prune(now: number): void {
    const old = '(SELECT turn_id FROM turns WHERE ended_at < ?)'
    this.#database.transaction(() => {
      for (const table of ['events', 'tool_calls', 'steers']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE turn_id IN ${old}`).run(now - TURN_KEEP_MS)
      }
      // Background turns have a history of their own that nobody ever reads again; a chat's is kept and searched.
      const ofThem = `SELECT history_id FROM turns WHERE ended_at < ? AND origin <> 'chat'`
      for (const table of ['messages', 'histories']) {
        this.#database.prepare(`DELETE FROM ${table} WHERE history_id IN (${ofThem})`).run(now - TURN_KEEP_MS)
      }
      this.#database.prepare('DELETE FROM turns WHERE ended_at < ?').run(now - TURN_KEEP_MS)
    })
  }

  #write(turn: Turn, step: TurnStep, events: readonly LoggedEvent[], nextEventId: number): void {
    const { turnId, historyId } = turn
    if (step.compaction) this.#applyCompaction(historyId, step.compaction)
    if (step.systemPrompt) {
      const { text, revision } = step.systemPrompt
      this.#history.update(historyId, { systemPrompt: text, promptRevision: revision, usedTokens: 0, usedUpTo: 0 })
    }
    const rows = step.append ? this.#history.append(historyId, turnId, step.append) : []
    const last = rows.at(-1)
    if (step.usage && last) {
      const usedTokens = step.usage.promptTokens + step.usage.completionTokens
      this.#history.update(historyId, { usedTokens, usedUpTo: last.id })
    }
    this.#writeCalls(turnId, step)
    for (const steer of step.takeSteers ?? []) {
      this.#database.prepare('UPDATE steers SET taken = 1 WHERE id = ?').run(steer.id)
    }
    if (step.told) this.#pending.markTold(step.told)
    for (const { id, data } of events) {
      this.#database.prepare('INSERT INTO events (turn_id, id, data) VALUES (?, ?, ?)').run(turnId, id, data)
    }
    if (step.done?.result) this.#pending.add(turn, step.done.result)
    this.#updateTurn(turnId, historyId, step, nextEventId)
  }

  #writeCalls(turnId: string, step: TurnStep): void {
    if (step.plan) {
      this.#database.prepare('DELETE FROM tool_calls WHERE turn_id = ?').run(turnId)
      const insert = this.#database.prepare(
        'INSERT INTO tool_calls (turn_id, position, call, state) VALUES (?, ?, ?, ?)',
      )
      for (const [position, call] of step.plan.entries()) insert.run(turnId, position, JSON.stringify(call), 'planned')
    }
    for (const position of step.begin?.positions ?? []) {
      this.#database
        .prepare("UPDATE tool_calls SET state = 'begun' WHERE turn_id = ? AND position = ?")
        .run(turnId, position)
    }
    for (const { position, result } of step.finish ?? []) {
      this.#database
        .prepare("UPDATE tool_calls SET state = 'finished', result = ? WHERE turn_id = ? AND position = ?")
        .run(JSON.stringify(result), turnId, position)
    }
  }

  #updateTurn(turnId: string, historyId: string, step: TurnStep, nextEventId: number): void {
    if (step.done) {
      this.#history.update(historyId, { activeAt: Date.now() })
      this.#database
        .prepare("UPDATE turns SET phase = 'done', done_reason = ?, ended_at = ?, next_event = ? WHERE turn_id = ?")
        .run(step.done.reason, Date.now(), nextEventId, turnId)
      return
    }
    this.#database
      .prepare(
        'UPDATE turns SET phase = coalesce(?, phase), iterations = coalesce(?, iterations), next_event = ? WHERE turn_id = ?',
      )
      .run(step.phase ?? null, step.iterations ?? null, nextEventId, turnId)
  }

  #applyCompaction(historyId: string, compaction: NonNullable<TurnStep['compaction']>): void {
    if (compaction.upToId > 0) this.#history.markCompacted(historyId, compaction.upToId)
    for (const { id, message } of compaction.shortened) this.#history.shorten(id, message)
    this.#history.update(historyId, compaction.state)
  }

  /** The same, outside of a turn. */
  compact(historyId: string, compaction: NonNullable<TurnStep['compaction']>): void {
    this.#database.transaction(() => this.#applyCompaction(historyId, compaction))
  }
}

function readTurn(raw: unknown): Turn {
  const row = TurnRow.parse(raw)
  return {
    turnId: row.turn_id,
    chatId: row.chat_id,
    historyId: row.history_id,
    origin: row.origin,
    request: TurnRequest.parse(JSON.parse(row.request)),
    phase: row.phase,
    iterations: row.iterations,
    resumes: row.resumes,
  }
}

function readCall(raw: unknown): JournalledCall {
  const row = CallRow.parse(raw)
  return {
    position: row.position,
    call: StoredCall.parse(JSON.parse(row.call)),
    state: row.state,
    ...(row.result !== null && { result: StoredResult.parse(JSON.parse(row.result)) }),
  }
}
