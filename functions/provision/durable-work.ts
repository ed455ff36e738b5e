/**
 * Work in steps that survive a crash. A step runs once more when the platform dies in it, so each finds what it did before;
 * what it returns is stored in clear, so none returns a secret. Names are unique within a Workflow and the same at every run.
 */
import { describeError } from '../log.ts'
import { isTransient, ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

export interface StepOptions {
  readonly retries: {
    readonly limit: number
    readonly delay: '1 second' | '5 seconds'
    readonly backoff: 'exponential' | 'constant'
  }
  readonly timeout: '2 minutes' | '6 minutes' | '30 minutes'
}

/** The platform's steps, or a test's. */
export interface Steps {
  do(name: string, options: StepOptions, work: () => Promise<string>): Promise<string>
  sleep(name: string, seconds: number): Promise<void>
}

export const QUICK: StepOptions = {
  retries: { limit: 5, delay: '1 second', backoff: 'exponential' },
  timeout: '2 minutes',
}
/** Moves an agent's whole state, or waits for a node to fetch an image. */
export const SLOW: StepOptions = {
  retries: { limit: 2, delay: '5 seconds', backoff: 'constant' },
  timeout: '6 minutes',
}
export const INSTALL: StepOptions = {
  retries: { limit: 2, delay: '5 seconds', backoff: 'constant' },
  timeout: '30 minutes',
}

/** Pauses between looks, growing: a local or warm machine is there at once, a cold one takes minutes. */
const POLL_PAUSES_S = [1, 1, 2, 3, 5, 5, 5, 10, 10, 15] as const

/** What a step came to. A failure that trying again cannot mend is a value: thrown errors are retried by the platform. */
type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string }

export class DurableWork {
  readonly #steps: Steps
  readonly #openPorts: () => ProvisionPorts

  constructor(steps: Steps, openPorts: () => ProvisionPorts) {
    this.#steps = steps
    this.#openPorts = openPorts
  }

  /** @param work returns what JSON can carry. @throws {ProvisionFailure} */
  async do<T>(name: string, options: StepOptions, work: (ports: ProvisionPorts) => Promise<T>): Promise<T> {
    const settled = await this.#steps
      // As text: the platform's type for what a step may return does not carry through a generic.
      .do(name, options, async () => JSON.stringify(await settle(() => work(this.#openPorts()))))
      .catch((error: unknown) => {
        throw revive(error)
      })
    const outcome: Outcome<T> = JSON.parse(settled)
    if (!outcome.ok) throw new ProvisionFailure(outcome.code, outcome.message)
    return outcome.value
  }

  /**
   * Asks again until it holds. Every look is a step of its own, so that a restart goes on where it was. A look that finds
   * nobody to ask is one that came too early; what the last one said is in the message of the failure.
   * @param holds is told how long it has been waited so far
   * @throws {ProvisionFailure} with `timeoutCode`
   */
  async poll(
    name: string,
    limit: { ms: number; code: string },
    holds: (ports: ProvisionPorts, waitedMs: number) => Promise<boolean>,
    options: StepOptions = QUICK,
  ): Promise<void> {
    let waitedMs = 0
    for (let look = 1; ; look++) {
      const waited = waitedMs
      const seen = await this.do(`${name} ${look}`, options, (ports) => lookOnce(() => holds(ports, waited)))
      if (seen.holds) return
      if (waitedMs > limit.ms) {
        const why = `${name}: nothing after ${Math.round(waitedMs / 1_000)} s`
        throw new ProvisionFailure(limit.code, seen.trouble ? `${why} (${seen.trouble})` : why)
      }
      const pauseS = POLL_PAUSES_S[Math.min(look, POLL_PAUSES_S.length) - 1] ?? 15
      await this.#steps.sleep(`${name} pause ${look}`, pauseS)
      waitedMs += pauseS * 1_000
    }
  }
}

async function lookOnce(holds: () => Promise<boolean>): Promise<{ holds: boolean; trouble?: string }> {
  try {
    return { holds: await holds() }
  } catch (error) {
    if (error instanceof ProvisionFailure) throw error
    return { holds: false, trouble: describeError(error) }
  }
}

async function settle<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (!(error instanceof ProvisionFailure)) throw coded(error)
    // Only name and message of an error survive a step: the code travels in the message.
    if (isTransient(error.code)) throw new Error(`${error.code}| ${error.message}`, { cause: error })
    return { ok: false, code: error.code, message: error.message }
  }
}

/** Errors of our edges carry a code, too, and are tried again. */
function coded(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.name !== 'Error') return error
  return new Error(`${String(error.code)}| ${error.message}`, { cause: error })
}

/** A failure that stayed after every try, with the code it had. */
function revive(error: unknown): unknown {
  const match = error instanceof Error ? /(?:^|: )(\w+)\| ([\s\S]*)$/.exec(error.message) : undefined
  return match ? new ProvisionFailure(match[1] ?? 'internal', match[2] ?? '', { cause: error }) : error
}
