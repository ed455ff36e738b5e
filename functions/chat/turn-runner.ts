/**
 * Runs the chat's turns one after the other. What is said to the same agent meanwhile is handed to the turn that runs; the
 * agent takes it at its next tool boundary. A stop ends the turn and drops what waits behind it.
 */
import { describeError, log } from '../log.ts'
import type { AgentClient } from './agent-client.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { giveUpTurn } from './finish-turn.ts'
import type { TurnInput } from './handling.ts'
import type { Inbox } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import type { OwedStops } from './owed-stops.ts'
import { isStaleIsolate } from './stale-isolate.ts'
import { named, wordsOf } from './steered-words.ts'
import { updateIdOf } from './turn-id.ts'
import type { Step } from './turn-progress.ts'
import type { TurnRun } from './turn-run.ts'
import type { PreparedTurn, TurnRow, TurnStore } from './turn-store.ts'

/** Telegram's standard reaction for "seen". */
const SEEN = '👀'
const STEER_RETRY_MS = 3_000
/** A turn that was started so often without anything new breaks whatever runs it. */
const MAX_STARTS = 10

export interface TurnRunnerPorts {
  readonly database: ChatDatabase
  readonly turns: TurnStore
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly owedStops: OwedStops
  /** The chat's name for the agent. */
  agentChat(): string
  agent(agentId: string): Promise<AgentClient>
  createRun(row: TurnRow): TurnRun
  prepare(row: TurnRow, agent: AgentClient, signal: AbortSignal): Promise<PreparedTurn>
  /** A turn has ended: what the agent did in the background may wait to be fetched. */
  onTurnEnded(agentId: string): void
  words(): DeliveryWords
  onOutgoing(): void
  now(): number
}

export class TurnRunner {
  readonly #ports: TurnRunnerPorts
  #live: TurnRun | undefined
  /** Turns that the running one did not take any more. */
  readonly #refused = new Set<string>()

  constructor(ports: TurnRunnerPorts) {
    this.#ports = ports
  }

  /** Lane `turns`. */
  async step(over: AbortSignal): Promise<'more' | number> {
    const { turns, owedStops, now } = this.#ports
    const running = turns.running()
    const row = running ?? turns.firstQueued()
    // Before the next turn begins, never while one is in the agent's hands: the stop would hit that one.
    const owed = running ? Number.POSITIVE_INFINITY : await owedStops.step()
    if (!row) return turns.running() || turns.firstQueued() ? 'more' : owed
    if (row.state === 'queued' && (await this.#wasTaken(row))) return 'more'
    // A stop may have dropped it meanwhile.
    const current = turns.find(row.turnId)
    if (current?.state !== 'queued' && current?.state !== 'running') return 'more'
    if (current.starts >= MAX_STARTS) {
      log('error', 'turn_given_up', { turn: row.turnId, agent: row.input.agentId })
      giveUpTurn(row, this.#ports)
      return 'more'
    }
    if (row.state === 'queued') this.#carryOn(row)
    turns.start(row.turnId, now())
    return this.#run(turns.find(row.turnId) ?? row, over)
  }

  async #run(row: TurnRow, over: AbortSignal): Promise<'more' | number> {
    const { onTurnEnded, now } = this.#ports
    const run = this.#ports.createRun(row)
    this.#live = run
    try {
      await run.run(over)
    } finally {
      this.#live = undefined
      this.#refused.clear()
    }
    if (over.aborted) return now()
    onTurnEnded(row.input.agentId)
    return 'more'
  }

  /** Lane `steering`: hands the next waiting turn to the one that runs. */
  async steer(over: AbortSignal): Promise<'more' | number> {
    const { turns, now } = this.#ports
    const live = this.#live
    const row = turns.firstQueued()
    if (!live?.agent || live.stopping || !row || this.#refused.size > 0) return Number.POSITIVE_INFINITY
    const isItsOwn = row.turnId.startsWith('deploy-') || row.input.retryOf !== undefined
    if (row.input.agentId !== live.row.input.agentId || isItsOwn) return Number.POSITIVE_INFINITY
    try {
      const prepared = row.prepared ?? (await this.#ports.prepare(row, live.agent, over))
      const words = wordsOf(prepared)
      if (words === '') {
        this.#refused.add(row.turnId)
        return Number.POSITIVE_INFINITY
      }
      turns.markOffered(row.turnId, live.row.turnId)
      const message = named(row.input, live.row.input, words)
      const taken = await live.agent.steer(this.#ports.agentChat(), message, row.turnId)
      if (!taken) {
        turns.markNotTaken(row.turnId)
        this.#refused.add(row.turnId)
      } else if (turns.find(row.turnId)?.state === 'queued') this.#taken(row)
      return 'more'
    } catch (error) {
      if (isStaleIsolate(error)) throw error
      log('warn', 'steer_failed', { turn: row.turnId, error: describeError(error) })
      return now() + STEER_RETRY_MS
    }
  }

  running(): { readonly agentId: string; readonly turnId: string } | undefined {
    const row = this.#live?.row ?? this.#ports.turns.running()
    return row && { agentId: row.input.agentId, turnId: row.turnId }
  }

  /**
   * Ends the running turn and drops what waits.
   * @param before update that asks for it: what was said later stays
   */
  stop({ before }: { before?: number | undefined } = {}): { wasRunning: boolean; dropped: number } {
    const { database, turns, inbox, now } = this.#ports
    const running = this.running()
    const isMeant = running !== undefined && (updateIdOf(running.turnId) ?? 0) < (before ?? Number.MAX_SAFE_INTEGER)
    const dropped = database.transaction(() => {
      if (isMeant) turns.requestStop(running.turnId)
      return turns.dropQueued(now(), before) + inbox.dropWaitingTurns(before)
    })
    if (isMeant) this.#live?.stop()
    return { wasRunning: isMeant, dropped }
  }

  /** Everything of this chat is being forgotten, the running turn too. */
  abandon(): void {
    this.#live?.abandon()
  }

  steps(turnId: string): readonly Step[] {
    const live = this.#live?.row.turnId === turnId ? this.#live.progress : undefined
    return (live ?? this.#ports.turns.find(turnId)?.progress)?.steps ?? []
  }

  last(of: Parameters<TurnStore['last']>[0]): string | undefined {
    return this.#ports.turns.last(of)
  }

  /** What was asked, to be asked again. */
  retry(turnId: string): TurnInput | undefined {
    const input = this.#ports.turns.find(turnId)?.input
    return input && { ...input, retryOf: turnId }
  }

  /** A message appeared in the chat. */
  wiped(): void {
    this.#live?.wiped()
  }

  /**
   * A turn that was given up may go on at the agent, or have ended there: asked again under the id that the agent knows, it is
   * never run a second time, and what was answered meanwhile is delivered.
   */
  #carryOn({ turnId, input }: TurnRow): void {
    const { turns } = this.#ports
    const former = input.retryOf === undefined ? undefined : turns.givenUp(input.retryOf)
    if (!former) return
    const { agentTurnId, prepared } = former
    turns.carryOn(turnId, {
      agentTurnId,
      prepared: prepared && withTaken(prepared, former, turns.takenBy(former.turnId)),
    })
  }

  /**
   * It was offered to a turn that is over now, and the answer got lost: the agent knows whether it took it. Asked again by the
   * same id, it says so.
   */
  async #wasTaken(row: TurnRow): Promise<boolean> {
    const { turns } = this.#ports
    if (!row.offered || !row.prepared) return false
    try {
      const agent = await this.#ports.agent(row.input.agentId)
      const taken = await agent.steer(this.#ports.agentChat(), wordsOf(row.prepared), row.turnId)
      if (taken && turns.find(row.turnId)?.state === 'queued') this.#taken(row)
      return taken
    } catch (error) {
      if (isStaleIsolate(error)) throw error
      // An agent that is away is the turn's own trouble: it waits, and says so.
      log('warn', 'steer_undecided', { turn: row.turnId, error: describeError(error) })
      return false
    }
  }

  #taken(row: TurnRow): void {
    const { database, turns, outbox, now } = this.#ports
    database.transaction(() => {
      turns.end(row.turnId, 'steered', now())
      for (const { message_id } of row.input.sources) {
        outbox.add(`t:${row.turnId}:seen:${message_id}`, { kind: 'react', messageId: message_id, emoji: SEEN }, now())
      }
    })
    this.#ports.onOutgoing()
  }
}

/** The agent that ran the turn knows what it took; one that has lost it must be told. */
function withTaken({ message, attachments }: PreparedTurn, former: TurnRow, taken: readonly TurnRow[]): PreparedTurn {
  const words = taken.flatMap(({ input, prepared }) =>
    prepared ? [named(input, former.input, wordsOf(prepared))] : [],
  )
  return { message: [message, ...words].filter((each) => each !== '').join('\n\n'), attachments }
}
