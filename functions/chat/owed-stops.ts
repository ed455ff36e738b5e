/**
 * Stops that the agent has not heard of: the turn is over for the person, but on the machine it may go on, with its tools, and
 * the next one would wait behind it. The agent is told as soon as it answers, and always before it is asked for another turn:
 * an older agent, which stops whatever runs, then has nothing else to stop.
 *
 * A turn that was given up, because its agent was away for too long, is stopped only once something else is asked: until then
 * its Retry may bring the answer that was made meanwhile. Perhaps the agent never heard of it, so one that is older is not
 * told: it would stop its background work instead.
 */
import { STOPS_ONE_TURN_SINCE } from '../../agent-vm/protocol.ts'
import { describeError, log } from '../log.ts'
import { type AgentClient, AgentRefused } from './agent-client.ts'
import type { OwedStop, TurnRow, TurnStore } from './turn-store.ts'

/** After this long it has ended by itself, or the machine is gone. */
const FORGET_AFTER_MS = 10 * 60_000
const FIRST_PAUSE_MS = 2_000
const MAX_PAUSE_MS = 60_000

export type StoppableAgent = Pick<AgentClient, 'stop' | 'health'>

export interface OwedStopPorts {
  readonly turns: TurnStore
  agent(agentId: string): Promise<StoppableAgent>
  agentChat(): string
  now(): number
}

export class OwedStops {
  readonly #ports: OwedStopPorts
  #failures = 0

  constructor(ports: OwedStopPorts) {
    this.#ports = ports
  }

  /** While no turn of the chat runs. @returns when to try again; `Infinity` when nothing is owed */
  async step(): Promise<number> {
    const { turns, now } = this.#ports
    const owed = turns.owedStop(this.#since())
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
  async settle(row: TurnRow, agent: StoppableAgent): Promise<void> {
    const next = () => this.#ports.turns.owedBefore(row, this.#since())
    for (let owed = next(); owed; owed = next()) await this.#tell(owed, agent, true)
  }

  #since(): number {
    return this.#ports.now() - FORGET_AFTER_MS
  }

  async #tell(owed: OwedStop, agent: StoppableAgent, patient: boolean): Promise<void> {
    const { turns, agentChat } = this.#ports
    let stopped = false
    try {
      const isMeantAlone = !owed.givenUp || (await agent.health()).protocol >= STOPS_ONE_TURN_SINCE
      if (isMeantAlone) stopped = await agent.stop(agentChat(), { turnId: owed.agentTurnId, patient })
    } catch (error) {
      // It answers, and will never take it.
      if (!(error instanceof AgentRefused)) throw error
      log('warn', 'owed_stop_refused', { turn: owed.turnId, error: describeError(error) })
    }
    turns.stopPaid(owed.turnId, { stopped })
  }
}
