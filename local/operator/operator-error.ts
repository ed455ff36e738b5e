/** Something that stops an operator's command: what is the matter, and what to do. Never a secret. */
export class OperatorError extends Error {
  readonly code = 'operator'
  readonly whatToDo: string

  constructor(message: string, whatToDo: string, options?: ErrorOptions) {
    super(message, options)
    this.whatToDo = whatToDo
  }
}
