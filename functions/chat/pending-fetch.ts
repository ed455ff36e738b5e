/**
 * After a turn, what the agent did in the background is fetched: in a lane of its own, since a machine that does not answer
 * must not keep the next turn waiting. Lost when the object dies; the sweep covers that.
 */
import { describeError, log } from '../log.ts'

export class PendingFetch {
  readonly #collect: (agentId: string) => Promise<unknown>
  readonly #agents = new Set<string>()

  constructor(collect: (agentId: string) => Promise<unknown>) {
    this.#collect = collect
  }

  add(agentId: string): void {
    this.#agents.add(agentId)
  }

  /** Lane `pending`. */
  async step(): Promise<'more' | number> {
    const [agentId] = this.#agents
    if (agentId === undefined) return Number.POSITIVE_INFINITY
    this.#agents.delete(agentId)
    await this.#collect(agentId).catch((error: unknown) => {
      log('warn', 'pending_not_fetched', { agent: agentId, error: describeError(error) })
    })
    return 'more'
  }
}
