/** Why a deployment stopped: a code that the chat has words for, and a sentence for the log. */
export class ProvisionFailure extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
