import type { RunnerErrorCode } from './protocol.ts'

interface RunnerFailureOptions extends ErrorOptions {
  readonly rolledBackTo?: string | undefined
}

/** What ends a call: its code for the Worker, the step it happened in, and a sentence without secrets. */
export class RunnerFailure extends Error {
  readonly code: RunnerErrorCode
  readonly step: string
  /** The version that runs again instead of what failed. */
  readonly rolledBackTo: string | undefined

  constructor(code: RunnerErrorCode, step: string, message: string, options: RunnerFailureOptions = {}) {
    super(message, options)
    this.code = code
    this.step = step
    this.rolledBackTo = options.rolledBackTo
  }
}
