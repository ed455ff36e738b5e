/** Waiting for something to be so: looked at again after every event, call, update and delivery. */
import type { Sim } from './sim.ts'
import { SimError } from './sim-error.ts'

const DEFAULT_TIMEOUT_MS = 20_000

export interface WaitOptions {
  readonly timeoutMs?: number
  readonly what?: string
  readonly chat?: number
  /** Also looks every so often, for what no event tells of. */
  readonly pollMs?: number
}

export function waitUntil<T>(
  sim: Sim,
  check: (sim: Sim) => T | undefined | false | null,
  { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'what was awaited', chat, pollMs }: WaitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop: (() => void)[] = []
    const finish = (settle: () => void) => {
      for (const end of stop) end()
      settle()
    }
    const look = () => {
      try {
        const found = check(sim)
        if (found !== undefined && found !== false && found !== null) finish(() => resolve(found))
      } catch (error) {
        finish(() => reject(error))
      }
    }
    // Real time even with a manual clock: a test that waits in vain must end.
    const timer = setTimeout(
      () => finish(() => reject(new SimError(`${what} did not come within ${timeoutMs} ms${describe(sim, chat)}`))),
      timeoutMs,
    )
    if (pollMs !== undefined) {
      const poll = setInterval(look, pollMs)
      stop.push(() => clearInterval(poll))
    }
    stop.push(
      () => clearTimeout(timer),
      sim.world.events.on(look),
      sim.world.calls.onCall(look),
      sim.world.updates.onAdded(look),
    )
    look()
  })
}

function describe(sim: Sim, chat: number | undefined): string {
  if (chat === undefined) return ''
  const last = sim
    .messages(chat)
    .slice(-5)
    .map((message) => `${message.from?.first_name}: ${message.text ?? message.caption ?? Object.keys(message).at(-1)}`)
  return `; the last messages are\n${last.join('\n')}`
}
