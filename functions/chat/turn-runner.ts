/**
 * Runs the chat's turns one after the other. What is said to the same agent meanwhile is handed to the turn that runs; the
 * agent takes it at its next tool boundary. A stop ends the turn and drops what waits behind it.
 */
import { describeError, log } from '../log.ts'
import type { AgentClient } from './agent-client.ts'
import type { ChatDatabase } from './chat-database.ts'
import { attachmentLine } from './describe-message.ts'
import type { TurnInput } from './handling.ts'
import type { Inbox } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import type { Step } from './turn-progress.ts'
import type { TurnRun } from './turn-run.ts'
import type { PreparedTurn, StoredTurn, TurnRow, TurnStore } from './turn-store.ts'

/** Telegram's standard reaction for "seen". */
const SEEN = '👀'
const STEER_RETRY_MS = 3_000

export interface TurnRunnerPorts {
  readonly database: ChatDatabase
  readonly turns: TurnStore
  readonly inbox: Inbox
  readonly outbox: Outbox
  /** The chat's name for the agent. */
  agentChat(): string
  createRun(row: TurnRow): TurnRun
  prepare(row: TurnRow, agent: AgentClient): Promise<PreparedTurn>
  /** A turn has ended: what the agent did in the background may wait to be fetched. */
  afterTurn(agentId: string): Promise<void>
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
    const { turns, now } = this.#ports
    const row = turns.running() ?? turns.firstQueued()
    if (!row) return Number.POSITIVE_INFINITY
    turns.start(row.turnId, now())
    const run = this.#ports.createRun(turns.find(row.turnId) ?? row)
    this.#live = run
    try {
      await run.run(over)
    } finally {
      this.#live = undefined
      this.#refused.clear()
    }
    if (over.aborted) return now()
    await this.#ports.afterTurn(row.input.agentId).catch((error: unknown) => {
      log('warn', 'pending_not_fetched', { agent: row.input.agentId, error: describeError(error) })
    })
    return 'more'
  }

  /** Lane `steering`: hands the next waiting turn to the one that runs. */
  async steer(): Promise<'more' | number> {
    const { turns, now } = this.#ports
    const live = this.#live
    const row = turns.firstQueued()
    if (!live?.agent || live.stopping || !row || this.#refused.size > 0) return Number.POSITIVE_INFINITY
    if (row.input.agentId !== live.row.input.agentId || row.turnId.startsWith('deploy-'))
      return Number.POSITIVE_INFINITY
    try {
      const prepared = row.prepared ?? (await this.#ports.prepare(row, live.agent))
      const words = [...prepared.attachments.map(attachmentLine), prepared.message].filter(Boolean).join('\n')
      if (words === '') return Number.POSITIVE_INFINITY
      const message = named(row.input, live.row.input, words)
      const taken = await live.agent.steer(this.#ports.agentChat(), message, row.turnId)
      if (taken && turns.find(row.turnId)?.state === 'queued') this.#taken(row)
      else this.#refused.add(row.turnId)
      return 'more'
    } catch (error) {
      log('warn', 'steer_failed', { turn: row.turnId, error: describeError(error) })
      return now() + STEER_RETRY_MS
    }
  }

  running(): { readonly agentId: string; readonly turnId: string } | undefined {
    const row = this.#live?.row ?? this.#ports.turns.running()
    return row && { agentId: row.input.agentId, turnId: row.turnId }
  }

  /** Ends the running turn and drops what waits. @returns whether there was anything to stop */
  async stop(): Promise<boolean> {
    const { database, turns, inbox, now } = this.#ports
    const running = this.running()
    const dropped = database.transaction(() => {
      if (running) turns.requestStop(running.turnId)
      return turns.dropQueued(now()) + inbox.dropWaitingTurns()
    })
    await this.#live?.stop()
    return running !== undefined || dropped > 0
  }

  /** The chat is closed to us: nobody hears the answer. */
  abandon(): void {
    void this.stop().catch((error: unknown) => log('warn', 'stop_failed', { error: describeError(error) }))
  }

  steps(turnId: string): readonly Step[] {
    const live = this.#live?.row.turnId === turnId ? this.#live.progress : undefined
    return (live ?? this.#ports.turns.find(turnId)?.progress)?.steps ?? []
  }

  /** What was asked, to be asked again under another id. */
  retry(turnId: string): TurnInput | undefined {
    return this.#ports.turns.find(turnId)?.input
  }

  /** A message appeared in the chat. */
  wiped(): void {
    this.#live?.wiped()
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

/** In a group the agent must know that somebody else speaks now. */
function named(input: StoredTurn, running: StoredTurn, message: string): string {
  return input.user.id === running.user.id ? message : `[${input.user.name}] ${message}`
}
