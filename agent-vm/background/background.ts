/** The clock of everything that happens without a message: schedules and the heartbeat. */
import type { Config } from '../config.ts'
import { describeError, type Log } from '../log.ts'
import type { BackgroundRequest, BackgroundResult } from '../turn/background-turns.ts'
import { type Pulse, planBeat, readHeartbeatFile } from './heartbeat.ts'
import { runDue } from './scheduler.ts'
import { openSchedules, type Schedules } from './schedules.ts'

/** How exact times are. A look at an index that is in memory: some microseconds. */
const TICK_MS = 1000
/** While the model is spared, a change of the file is noticed within this. */
const LOOK_MS = 30_000
const QUIET_ANSWER = 'HEARTBEAT_OK'
const PULSE_NOTE = 'pulse'

export interface BackgroundOptions {
  readonly workspacePath: string
  readonly dataDir: string
  /** `OWNER_CHAT_ID` is the chat that heartbeat results go to; without it there is no heartbeat. */
  readonly config: Pick<Config, 'OWNER_CHAT_ID'>
  /** Seconds, asked for anew each time; 0 is off. */
  readonly heartbeatInterval: () => number
  /** Resolves when the turn has ended and its answer is stored. The same turn id runs once. */
  readonly runTurn: (request: BackgroundRequest) => Promise<Pick<BackgroundResult, 'text'>>
  readonly log: Log
  readonly clock?: () => number
}

export interface Background {
  /** What runs goes on; nothing new is begun. */
  stop(): void
  configChanged(): void
  /** One look at the clock: begins what is due. @returns when that has ended. The timer calls it; tests do. */
  tick(): Promise<void>
}

export function startBackground(options: BackgroundOptions): Background {
  const { dataDir, clock = Date.now, log } = options
  const schedules = openSchedules(dataDir, clock)
  schedules.recover()
  const heart = new Heart(options, schedules)
  let isStopped = false
  const running = new Set<Promise<unknown>>()
  const tick = async (): Promise<void> => {
    if (isStopped) return
    const work = Promise.all([runDue({ schedules, runTurn: options.runTurn, log }), heart.beat()])
    running.add(work)
    await work.finally(() => running.delete(work))
  }
  const timer = setInterval(() => {
    tick().catch((error: unknown) => log('error', 'background_failed', { reason: describeError(error) }))
  }, TICK_MS)
  timer.unref()
  return {
    tick,
    // The interval is asked for at every look.
    configChanged: () => undefined,
    stop: () => {
      isStopped = true
      clearInterval(timer)
      // What runs still has to be written down.
      void Promise.allSettled(running).then(() => schedules.close())
    },
  }
}

class Heart {
  readonly #options: BackgroundOptions
  readonly #schedules: Schedules
  #pulse: Pulse
  #isBeating = false
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: BackgroundOptions, schedules: Schedules) {
    this.#options = options
    this.#schedules = schedules
    this.#pulse = readPulse(schedules) ?? { atMs: schedules.now(), hash: '', quiet: 0 }
  }

  async beat(): Promise<void> {
    const { config, heartbeatInterval, workspacePath } = this.#options
    const ownerChatId = config.OWNER_CHAT_ID
    const intervalMs = heartbeatInterval() * 1000
    const now = this.#schedules.now()
    if (this.#isBeating || ownerChatId === undefined || intervalMs <= 0) return
    if (now - this.#pulse.atMs < intervalMs || now - this.#lookedAtMs < LOOK_MS) return
    this.#lookedAtMs = now
    this.#isBeating = true
    try {
      const text = await readHeartbeatFile(workspacePath)
      const beat = planBeat(text, this.#pulse, intervalMs, now)
      if (beat.kind === 'nothing') this.#keep({ ...this.#pulse, atMs: now, quiet: 0 })
      if (beat.kind === 'act') await this.#act(beat, ownerChatId, now)
    } finally {
      this.#isBeating = false
    }
  }

  async #act(beat: { prompt: string; hash: string; quiet: number }, chatId: string, now: number): Promise<void> {
    // Kept first: a server that dies in the turn must not begin it again at every start. The journal resumes it once.
    this.#keep({ atMs: now, hash: beat.hash, quiet: beat.quiet })
    const user = { id: chatId, name: '', role: 'owner' as const }
    const turnId = `heartbeat-${now}`
    try {
      const { text } = await this.#options.runTurn({ origin: 'heartbeat', turnId, chatId, user, prompt: beat.prompt })
      this.#keep({ ...this.#pulse, quiet: text.trim() === QUIET_ANSWER ? beat.quiet + 1 : 0 })
    } catch (error) {
      this.#options.log('warn', 'heartbeat_not_run', { turn: turnId, reason: describeError(error) })
    }
  }

  #keep(pulse: Pulse): void {
    this.#pulse = pulse
    this.#schedules.setNote(PULSE_NOTE, JSON.stringify([pulse.atMs, pulse.hash, pulse.quiet]))
  }
}

function readPulse(schedules: Schedules): Pulse | undefined {
  const note = schedules.note(PULSE_NOTE)
  if (note === undefined) return undefined
  const [atMs, hash, quiet]: unknown[] = JSON.parse(note)
  // A clock that was set back must not silence the heart for ever.
  return { atMs: Math.min(Number(atMs), schedules.now()), hash: String(hash), quiet: Number(quiet) }
}
