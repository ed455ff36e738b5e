/**
 * Tells the Worker that something waits. Asked for often, sent once at a time, repeated with growing pauses until it is heard
 * or nothing waits any more; the Worker's own sweep covers the rest.
 */
import { isSuccess, postRequest } from './http-request.ts'
import { describeError, type Log } from './log.ts'

const PAUSES_MS = [1000, 5000, 30_000, 120_000, 600_000] as const
const CALL_TIMEOUT_MS = 15_000

export interface CallbackOptions {
  readonly url: string
  readonly key: string
  readonly waiting: () => boolean
  readonly log: Log
  readonly pausesMs?: readonly number[]
}

export interface Callback {
  ping(): void
  stop(): void
}

export function createCallback({ url, key, waiting, log, pausesMs = PAUSES_MS }: CallbackOptions): Callback {
  const stopped = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let calling = false
  let again = false

  const attempt = async (failures: number): Promise<void> => {
    if (stopped.signal.aborted || !waiting()) return
    calling = true
    again = false
    const heard = await call()
    calling = false
    if (stopped.signal.aborted) return
    if (!heard) schedule(failures + 1, pausesMs[Math.min(failures, pausesMs.length - 1)] ?? 0)
    else if (again) schedule(0, 0)
  }
  const schedule = (failures: number, afterMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void attempt(failures), afterMs)
    timer.unref()
  }
  const call = async (): Promise<boolean> => {
    try {
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)])
      const response = await postRequest({ url, headers: { authorization: `Bearer ${key}` }, body: '', signal })
      response.resume()
      const isHeard = isSuccess(response)
      if (!isHeard) log('warn', 'callback_refused', { status: response.statusCode })
      return isHeard
    } catch (error) {
      if (!stopped.signal.aborted) log('warn', 'callback_failed', { reason: describeError(error) })
      return false
    }
  }

  return {
    ping: () => {
      again = true
      if (!calling) schedule(0, 0)
    },
    stop: () => {
      stopped.abort()
      clearTimeout(timer)
    },
  }
}
