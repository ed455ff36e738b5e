/**
 * Several lanes of work inside one alarm. Each lane does one step at a time; a lane without work rests until it is kicked,
 * its time comes, or every lane rests: then the run is over and says when to come back.
 */

/** Waits shorter than this are sat out; for longer ones the object sleeps and an alarm wakes it. */
export const STAY_AWAKE_MS = 20_000
/** After a step failed for a reason nobody foresaw. */
const UNFORESEEN_PAUSE_MS = 2_000

export interface Lane {
  readonly name: string
  /** Its steps are short, and somebody waits: it goes on while another lane cannot let go yet (an upload). */
  readonly untilLast?: boolean
  /** Does the next piece of work. @returns `'more'`, or when there may be work again (ms since 1970; `Infinity`: when kicked) */
  step(signal: AbortSignal): Promise<'more' | number>
}

export interface WorkLoopsPorts {
  now(): number
  /** Resolves early, without error, when the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Ordinary errors end here, logged. @returns true when the run cannot go on (a stale isolate) */
  failed(lane: string, error: unknown): boolean
}

export class WorkLoops {
  readonly #lanes: readonly Lane[]
  readonly #ports: WorkLoopsPorts
  #run: Run | undefined

  constructor(lanes: readonly Lane[], ports: WorkLoopsPorts) {
    this.#lanes = lanes
    this.#ports = ports
  }

  get running(): boolean {
    return this.#run !== undefined
  }

  /** Something new may be there for this lane. @returns false when nothing runs: somebody must set an alarm */
  kick(lane: string): boolean {
    return this.#run?.kick(lane) ?? false
  }

  /**
   * Works until every lane rests or `handover` fires.
   * @returns when to run again: now after a handover, `undefined` when nothing is left
   * @throws whatever `failed` called fatal
   */
  async run(handover: AbortSignal): Promise<number | undefined> {
    const run = new Run(this.#lanes, this.#ports, handover)
    this.#run = run
    try {
      return await run.finish()
    } finally {
      this.#run = undefined
    }
  }
}

interface LaneState {
  kicked: boolean
  resting: boolean
  wakeAt: number
  wake: AbortController
}

class Run {
  readonly #lanes: readonly Lane[]
  readonly #ports: WorkLoopsPorts
  readonly #states = new Map<string, LaneState>()
  readonly #over = new AbortController()
  /** No lane is at work any more but those that go on until then. */
  readonly #last = new AbortController()
  readonly #handover: AbortSignal
  #fatal: { readonly error: unknown } | undefined
  #closed = false

  constructor(lanes: readonly Lane[], ports: WorkLoopsPorts, handover: AbortSignal) {
    this.#lanes = lanes
    this.#ports = ports
    this.#handover = handover
    for (const { name } of lanes) {
      this.#states.set(name, { kicked: false, resting: false, wakeAt: 0, wake: new AbortController() })
    }
  }

  /** @returns false when the run is over: the kick would be lost */
  kick(lane: string): boolean {
    const state = this.#states.get(lane)
    if (!state) throw new TypeError(`no lane ${lane}`)
    if (this.#closed) return false
    state.kicked = true
    state.resting = false
    state.wake.abort()
    return true
  }

  async finish(): Promise<number | undefined> {
    const stop = () => this.#end()
    this.#handover.addEventListener('abort', stop, { once: true })
    try {
      const tail = this.#lanes.filter(({ untilLast }) => untilLast).map((lane) => this.#work(lane))
      await Promise.all(this.#lanes.filter(({ untilLast }) => !untilLast).map((lane) => this.#work(lane)))
      this.#last.abort()
      await Promise.all(tail)
    } finally {
      this.#handover.removeEventListener('abort', stop)
      this.#closed = true
    }
    if (this.#fatal) throw this.#fatal.error
    const states = [...this.#states.values()]
    if (this.#handover.aborted || states.some(({ kicked }) => kicked)) return this.#ports.now()
    const wakeAt = Math.min(...states.map((state) => state.wakeAt))
    return Number.isFinite(wakeAt) ? wakeAt : undefined
  }

  async #work(lane: Lane): Promise<void> {
    const state = this.#states.get(lane.name)
    const end = lane.untilLast ? this.#last.signal : this.#over.signal
    while (state && !end.aborted) {
      state.kicked = false
      const next = await this.#step(lane)
      if (next === 'more' || state.kicked) continue
      await this.#rest(state, next, end)
    }
  }

  async #step(lane: Lane): Promise<'more' | number> {
    try {
      return await lane.step(this.#over.signal)
    } catch (error) {
      if (this.#ports.failed(lane.name, error)) {
        this.#fatal ??= { error }
        this.#last.abort()
        this.#end()
        return Number.POSITIVE_INFINITY
      }
      return this.#ports.now() + UNFORESEEN_PAUSE_MS
    }
  }

  async #rest(state: LaneState, wakeAt: number, end: AbortSignal): Promise<void> {
    state.resting = true
    state.wakeAt = wakeAt
    state.wake = new AbortController()
    const states = [...this.#states.values()]
    const earliest = Math.min(...states.map((other) => other.wakeAt))
    if (states.every(({ resting }) => resting) && earliest - this.#ports.now() > STAY_AWAKE_MS) this.#end()
    const signal = AbortSignal.any([state.wake.signal, end])
    // Without a time of its own a lane rests until it is kicked or the run is over.
    if (Number.isFinite(wakeAt)) await this.#ports.sleep(Math.max(0, wakeAt - this.#ports.now()), signal)
    else await aborted(signal)
    state.resting = false
  }

  #end(): void {
    this.#over.abort()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
