import type { RunnerErrorCode } from './protocol.ts'

/** What ends a call: its code for the Worker, the step it happened in, and a sentence without secrets. */
export class RunnerFailure extends Error {
  readonly code: RunnerErrorCode
  readonly step: string

  constructor(code: RunnerErrorCode, step: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.step = step
  }
}
