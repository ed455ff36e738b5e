/**
 * Stops that the agent has not heard of: the turn is over for the person, but on the machine it may go on, with its tools, and
 * the next one would wait behind it. The agent is told as soon as it answers.
 */
import { describeError, log } from '../log.ts'
import type { AgentClient } from './agent-client.ts'
import type { TurnStore } from './turn-store.ts'

/** After this long it has ended by itself, or the machine is gone. */
const FORGET_AFTER_MS = 10 * 60_000
const FIRST_PAUSE_MS = 2_000
const MAX_PAUSE_MS = 60_000

export interface OwedStopPorts {
  readonly turns: TurnStore
  agent(agentId: string): Promise<Pick<AgentClient, 'stop'>>
  agentChat(): string
  now(): number
}

export class OwedStops {
  readonly #ports: OwedStopPorts
  #failures = 0

  constructor(ports: OwedStopPorts) {
    this.#ports = ports
  }

  /** Only while no other turn of the chat runs. @returns when to try again; `Infinity` when nothing is owed */
  async step(): Promise<number> {
    const { turns, now } = this.#ports
    const owed = turns.owedStop(now() - FORGET_AFTER_MS)
    if (!owed) return Number.POSITIVE_INFINITY
    try {
      await (await this.#ports.agent(owed.agentId)).stop(this.#ports.agentChat())
      turns.stopPaid(owed.turnId)
      this.#failures = 0
      return now()
    } catch (error) {
      log('warn', 'owed_stop_failed', { turn: owed.turnId, error: describeError(error) })
      return now() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
    }
  }
}
