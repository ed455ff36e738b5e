/** getUpdates: long polling, one reader at a time; what lies before `offset` is confirmed and forgotten. */
import type { Update } from 'grammy/types'
import { ApiError } from '../api-error.ts'
import type { Clock } from '../clock.ts'
import type { Updates } from '../state/updates.ts'

/** LONG_POLL_MAX_TIMEOUT of the Bot API server. */
const MAX_TIMEOUT_S = 50

export interface PollRequest {
  readonly offset: number
  readonly limit: number
  readonly timeoutS: number
  readonly signal: AbortSignal
}

export class Polling {
  readonly #updates: Updates
  readonly #clock: Clock
  #end: ((error?: ApiError) => void) | undefined

  constructor(updates: Updates, clock: Clock) {
    this.#updates = updates
    this.#clock = clock
  }

  /** @throws {ApiError} 409 in the earlier of two calls at a time */
  async poll({ offset, limit, timeoutS, signal }: PollRequest): Promise<Update[]> {
    this.interrupt('terminated by other getUpdates request; make sure that only one bot instance is running')
    if (offset > 0) this.#updates.removeBefore(offset)
    if (offset < 0) this.#keepLast(-offset)
    const ready = this.#read(limit)
    if (ready.length > 0 || timeoutS <= 0) return ready
    await this.#wait(Math.min(timeoutS, MAX_TIMEOUT_S) * 1000, signal)
    return this.#read(limit)
  }

  get isWaiting(): boolean {
    return this.#end !== undefined
  }

  interrupt(reason: string): void {
    this.#end?.(new ApiError(409, `Conflict: ${reason}`))
  }

  #read(limit: number): Update[] {
    return this.#updates.list(0, limit).map(({ update }) => update)
  }

  #keepLast(count: number): void {
    const last = this.#updates.list().slice(-count)[0]
    if (last) this.#updates.removeBefore(last.update.update_id)
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: ApiError) => {
        unsubscribe()
        cancelTimer()
        signal.removeEventListener('abort', onAbort)
        if (this.#end === end) this.#end = undefined
        if (error) reject(error)
        else resolve()
      }
      const onAbort = () => end()
      const unsubscribe = this.#updates.onAdded(() => end())
      const cancelTimer = this.#clock.after(ms, () => end())
      signal.addEventListener('abort', onAbort)
      this.#end = end
    })
  }
}
