/** The end of an operator's command that could not do its work: what is the matter, what to do, exit code 1. */
import { describeError } from '../../functions/log.ts'
import { OperatorError } from './operator-error.ts'

export function reportFailure(error: unknown): void {
  if (error instanceof OperatorError) console.error(`${error.message}\n→ ${error.whatToDo}`)
  else console.error(`Something unforeseen: ${describeError(error)}`)
  process.exitCode = 1
}
