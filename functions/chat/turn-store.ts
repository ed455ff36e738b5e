/** Turns of this chat: what was asked, of whom, and how far the answer is. The id of a turn is made from its update. */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { Attachment } from '../../agent-vm/protocol.ts'
import type { ChatDatabase, SqlValue } from './chat-database.ts'
import type { TurnInput } from './handling.ts'
import { updateIdOf } from './turn-id.ts'
import { TurnProgress } from './turn-progress.ts'

/** A turn as it was asked for; `sources` are all messages it was gathered from. */
export interface StoredTurn extends Omit<TurnInput, 'source' | 'sources'> {
  readonly sources: readonly Message[]
}

/** What the agent is told, once the files are with it. */
export const PreparedTurn = z.object({ message: z.string(), attachments: z.array(Attachment) })
export type PreparedTurn = z.infer<typeof PreparedTurn>

export type TurnState =
  | 'queued'
  | 'running'
  | 'done'
  /** Ended with an honest line and a Retry button. */
  | 'failed'
  /** Handed to the turn that ran before it. */
  | 'steered'
  | 'dropped'

export interface TurnRow {
  readonly turnId: string
  /** By which the agent knows it: another than ours when it asks once more for a turn that was given up. */
  readonly agentTurnId: string
  readonly state: TurnState
  readonly input: StoredTurn
  readonly prepared: PreparedTurn | undefined
  readonly progress: TurnProgress | undefined
  readonly stopRequested: boolean
  /** In a row, without anything new in between. */
  readonly failures: number
  readonly nextAt: number
  /** In a row, without anything new in between: a turn that breaks whatever runs it must come to an end. */
  readonly starts: number
  /** It was offered to the turn before it, which may have taken it. */
  readonly offered: boolean
  /** It failed here without the agent's word: there it may go on, or have ended. */
  readonly givenUp: boolean
  /** An edit of its preview began in an earlier life, and nobody knows what became of it. */
  readonly editing: boolean
  readonly startedAt: number | undefined
}

/** A turn that is over here, and of which its agent must hear that. */
export interface OwedStop {
  readonly turnId: string
  readonly agentTurnId: string
  readonly agentId: string
  readonly givenUp: boolean
}

export const KEPT_TURNS = 40

/** Of `stop_owed`: as soon as the agent answers, or only when it is asked for something else. */
const OWED = { now: 1, beforeAnother: 2 } as const
/** The id by which the agent knows it. */
const AGENT_TURN = 'COALESCE(agent_turn, turn_id)'

const Row = z.object({
  turn_id: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'steered', 'dropped']),
  input: z.string(),
  attachments: z.string().nullable(),
  progress: z.string().nullable(),
  stop_requested: z.int(),
  failures: z.int(),
  next_at: z.int(),
  starts: z.int(),
  offered: z.int(),
  given_up: z.int(),
  editing: z.int(),
  agent_turn: z.string().nullable(),
  started_at: z.int().nullable(),
})

export class TurnStore {
  readonly #database: ChatDatabase

  constructor(database: ChatDatabase) {
    this.#database = database
  }

  /** Adding the same id again changes nothing, nor does asking for a turn once more that is being asked once more. */
  add(turnId: string, input: StoredTurn, now: number): void {
    this.#database.query(
      `INSERT INTO turns (turn_id, agent_id, state, input, created_at)
       SELECT ?, ?, 'queued', ?, ? WHERE NOT EXISTS
         (SELECT 1 FROM turns WHERE state IN ('queued', 'running') AND json_extract(input, '$.retryOf') = ?)
       ON CONFLICT DO NOTHING`,
      turnId,
      input.agentId,
      JSON.stringify(input),
      now,
      input.retryOf ?? null,
    )
  }

  find(turnId: string): TurnRow | undefined {
    return this.#one('SELECT * FROM turns WHERE turn_id = ?', turnId)
  }

  running(): TurnRow | undefined {
    return this.#one("SELECT * FROM turns WHERE state = 'running' ORDER BY seq LIMIT 1")
  }

  /** The newest that has begun; what was handed to another turn is part of that one. */
  last({ agentId, userId }: { readonly agentId: string; readonly userId?: number }): string | undefined {
    const ofPerson = userId === undefined ? '' : "AND json_extract(input, '$.user.id') = ?"
    return this.#one(
      `SELECT * FROM turns WHERE agent_id = ? AND state IN ('running', 'done', 'failed') ${ofPerson} ORDER BY seq DESC LIMIT 1`,
      agentId,
      ...(userId === undefined ? [] : [userId]),
    )?.turnId
  }

  firstQueued(): TurnRow | undefined {
    return this.#one("SELECT * FROM turns WHERE state = 'queued' ORDER BY seq LIMIT 1")
  }

  openCount(): number {
    const [row] = this.#database.query("SELECT COUNT(*) AS n FROM turns WHERE state IN ('queued', 'running')")
    return z.int().parse(row?.n)
  }

  start(turnId: string, now: number): void {
    this.#database.query(
      "UPDATE turns SET state = 'running', starts = starts + 1, started_at = COALESCE(started_at, ?) WHERE turn_id = ?",
      now,
      turnId,
    )
  }

  savePrepared(turnId: string, prepared: PreparedTurn): void {
    this.#database.query('UPDATE turns SET attachments = ? WHERE turn_id = ?', JSON.stringify(prepared), turnId)
  }

  /** Cursor and text in one statement; whatever came resets the counts of failures. */
  saveProgress(turnId: string, progress: TurnProgress): void {
    this.#database.query(
      'UPDATE turns SET progress = ?, failures = 0, starts = 0 WHERE turn_id = ?',
      JSON.stringify(progress),
      turnId,
    )
  }

  noteFailure(turnId: string): void {
    this.#database.query('UPDATE turns SET failures = failures + 1 WHERE turn_id = ?', turnId)
  }

  end(turnId: string, state: 'done' | 'failed' | 'steered' | 'dropped', now: number): void {
    this.#database.query('UPDATE turns SET state = ?, ended_at = ? WHERE turn_id = ?', state, now, turnId)
  }

  /** Its preview is being edited, or what became of all the edits is known. */
  markEditing(turnId: string, editing: boolean): void {
    this.#database.query('UPDATE turns SET editing = ? WHERE turn_id = ?', Number(editing), turnId)
  }

  requestStop(turnId: string): void {
    this.#database.query('UPDATE turns SET stop_requested = 1 WHERE turn_id = ?', turnId)
  }

  /** The turn has ended here, and its agent has not heard of it. */
  oweStop(turnId: string): void {
    this.#database.query('UPDATE turns SET stop_owed = ? WHERE turn_id = ?', OWED.now, turnId)
  }

  /** The agent was away for too long. Asked once more it may still bring the answer; anything else must not wait behind it. */
  giveUp(turnId: string): void {
    this.#database.query('UPDATE turns SET given_up = 1, stop_owed = ? WHERE turn_id = ?', OWED.beforeAnother, turnId)
  }

  /** @param since of older ones nothing runs any more */
  owedStop(since: number): OwedStop | undefined {
    return parseOwed(
      this.#one('SELECT * FROM turns WHERE stop_owed = ? AND ended_at >= ? ORDER BY seq LIMIT 1', OWED.now, since),
    )
  }

  /** What would be in the way of a turn at its agent. */
  owedBefore({ agentTurnId, input }: TurnRow, since: number): OwedStop | undefined {
    return parseOwed(
      this.#one(
        `SELECT * FROM turns WHERE agent_id = ? AND ${AGENT_TURN} <> ?
         AND (stop_owed = ? OR stop_owed = ? AND ended_at >= ?) ORDER BY seq LIMIT 1`,
        input.agentId,
        agentTurnId,
        OWED.beforeAnother,
        OWED.now,
        since,
      ),
    )
  }

  /** @param stopped it ran until now: there is no answer that it could still bring */
  stopPaid(turnId: string, { stopped }: { stopped: boolean }): void {
    this.#database.query(
      'UPDATE turns SET stop_owed = 0, given_up = given_up AND NOT ? WHERE turn_id = ?',
      Number(stopped),
      turnId,
    )
  }

  /** Whoever asked last for the same turn of the agent, if that was given up too. */
  givenUp(turnId: string): TurnRow | undefined {
    const asked = this.find(turnId)
    const last =
      asked &&
      this.#one(
        `SELECT * FROM turns WHERE agent_id = ? AND ${AGENT_TURN} = ? ORDER BY seq DESC LIMIT 1`,
        asked.input.agentId,
        asked.agentTurnId,
      )
    return last?.givenUp ? last : undefined
  }

  /** From now on this turn asks for the one that was given up: nobody else does, nor wants it stopped. */
  carryOn(turnId: string, { agentTurnId, prepared }: Pick<TurnRow, 'agentTurnId' | 'prepared'>): void {
    this.#database.query(
      'UPDATE turns SET agent_turn = ?, attachments = ? WHERE turn_id = ?',
      agentTurnId,
      prepared === undefined ? null : JSON.stringify(prepared),
      turnId,
    )
    this.#database.query(`UPDATE turns SET stop_owed = 0 WHERE ${AGENT_TURN} = ?`, agentTurnId)
  }

  /** The turn that was given up has no answer any more: this one begins as if it had never asked for it. */
  askAnew({ turnId, agentTurnId }: TurnRow): void {
    this.#database.transaction(() => {
      this.#database.query(`UPDATE turns SET given_up = 0 WHERE ${AGENT_TURN} = ?`, agentTurnId)
      this.#database.query(
        "UPDATE turns SET state = 'queued', agent_turn = NULL, attachments = NULL, progress = NULL WHERE turn_id = ?",
        turnId,
      )
    })
  }

  /** About to be handed to the turn that runs: from now on only the agent knows whether it was. */
  markOffered(turnId: string, to: string): void {
    this.#database.query('UPDATE turns SET offered = 1, offered_to = ? WHERE turn_id = ?', to, turnId)
  }

  /** What a turn took while it ran, in order. */
  takenBy(turnId: string): TurnRow[] {
    return this.#all("SELECT * FROM turns WHERE state = 'steered' AND offered_to = ? ORDER BY seq", turnId)
  }

  /** What was said while the turns ran that are asked once more: it belongs to the question. */
  saidMeanwhile({ retryOf }: StoredTurn): StoredTurn[] {
    const former = retryOf === undefined ? undefined : this.find(retryOf)
    if (!former) return []
    return [...this.saidMeanwhile(former.input), ...this.takenBy(former.turnId).map(({ input }) => input)]
  }

  /** The agent said that it did not take it. */
  markNotTaken(turnId: string): void {
    this.#database.query('UPDATE turns SET offered = 0 WHERE turn_id = ?', turnId)
  }

  /** The turn they were offered to goes on where nobody reads it: whether it took them or not, they are asked by themselves. */
  noneTaken(agentId: string): void {
    this.#database.query("UPDATE turns SET offered = 0 WHERE state = 'queued' AND agent_id = ?", agentId)
  }

  /** @param before update that asks to stop: what was asked later stays. @returns how many */
  dropQueued(now: number, before = Number.MAX_SAFE_INTEGER): number {
    const queued = this.#database.query("SELECT turn_id FROM turns WHERE state = 'queued'")
    const ids = queued.map(({ turn_id }) => z.string().parse(turn_id)).filter((id) => (updateIdOf(id) ?? 0) < before)
    for (const id of ids) this.end(id, 'dropped', now)
    return ids.length
  }

  prune(): void {
    this.#database.query(
      `DELETE FROM turns WHERE state NOT IN ('queued', 'running')
       AND seq <= (SELECT MAX(seq) FROM turns) - ${KEPT_TURNS}`,
    )
  }

  #one(sql: string, ...values: SqlValue[]): TurnRow | undefined {
    return this.#all(sql, ...values)[0]
  }

  #all(sql: string, ...values: SqlValue[]): TurnRow[] {
    return this.#database.query(sql, ...values).map(parseRow)
  }
}

function parseOwed(row: TurnRow | undefined): OwedStop | undefined {
  return row && { turnId: row.turnId, agentTurnId: row.agentTurnId, agentId: row.input.agentId, givenUp: row.givenUp }
}

function parseRow(row: unknown): TurnRow {
  const parsed = Row.parse(row)
  const prepared = parsed.attachments === null ? undefined : PreparedTurn.parse(JSON.parse(parsed.attachments))
  const progress = parsed.progress === null ? undefined : TurnProgress.parse(JSON.parse(parsed.progress))
  return {
    turnId: parsed.turn_id,
    agentTurnId: parsed.agent_turn ?? parsed.turn_id,
    state: parsed.state,
    // Written by `add`, in this release or the one before.
    input: JSON.parse(parsed.input) as StoredTurn,
    prepared,
    progress,
    stopRequested: parsed.stop_requested === 1,
    failures: parsed.failures,
    nextAt: parsed.next_at,
    starts: parsed.starts,
    offered: parsed.offered === 1,
    givenUp: parsed.given_up === 1,
    editing: parsed.editing === 1,
    startedAt: parsed.started_at ?? undefined,
  }
}
