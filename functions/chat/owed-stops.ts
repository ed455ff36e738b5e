/**
 * Stops that the agent has not heard of: the turn is over for the person, but on the machine it may go on, with its tools, and
 * the next one would wait behind it. The agent is told as soon as it answers, and always before it is asked for another turn:
 * an older agent, which stops whatever runs, then has nothing else to stop.
 */
import { describeError, log } from '../log.ts'
import { type AgentClient, AgentRefused } from './agent-client.ts'
import type { TurnStore } from './turn-store.ts'

/** After this long it has ended by itself, or the machine is gone. */
const FORGET_AFTER_MS = 10 * 60_000
const FIRST_PAUSE_MS = 2_000
const MAX_PAUSE_MS = 60_000

export type StoppableAgent = Pick<AgentClient, 'stop'>

export interface OwedStopPorts {
  readonly turns: TurnStore
  agent(agentId: string): Promise<StoppableAgent>
  agentChat(): string
  now(): number
}

type Owed = NonNullable<ReturnType<TurnStore['owedStop']>>

export class OwedStops {
  readonly #ports: OwedStopPorts
  #failures = 0

  constructor(ports: OwedStopPorts) {
    this.#ports = ports
  }

  /** While no turn of the chat runs. @returns when to try again; `Infinity` when nothing is owed */
  async step(): Promise<number> {
    const { now } = this.#ports
    const owed = this.#next()
    if (!owed) return Number.POSITIVE_INFINITY
    try {
      await this.#tell(owed, await this.#ports.agent(owed.agentId), false)
      this.#failures = 0
      return now()
    } catch (error) {
      log('warn', 'owed_stop_failed', { turn: owed.turnId, error: describeError(error) })
      return now() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
    }
  }

  /**
   * Before a turn is asked of an agent for the first time: what it should have stopped would be in the way.
   * @throws {AgentUnreachable} when it does not hear of it now either
   */
  async settle(agentId: string, agent: StoppableAgent): Promise<void> {
    for (let owed = this.#next(agentId); owed; owed = this.#next(agentId)) await this.#tell(owed, agent, true)
  }

  #next(agentId?: string): Owed | undefined {
    return this.#ports.turns.owedStop(this.#ports.now() - FORGET_AFTER_MS, agentId)
  }

  async #tell({ turnId }: Owed, agent: StoppableAgent, patient: boolean): Promise<void> {
    const { turns, agentChat } = this.#ports
    try {
      await agent.stop(agentChat(), { turnId, patient })
    } catch (error) {
      // It answers, and will never take it.
      if (!(error instanceof AgentRefused)) throw error
      log('warn', 'owed_stop_refused', { turn: turnId, error: describeError(error) })
    }
    turns.stopPaid(turnId)
  }
}
