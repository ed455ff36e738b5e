/** One thing the tool process can do. */
import type { ToolResult } from '../tool-runner.ts'
import type { Place } from './place.ts'

export interface OperationContext {
  readonly place: Place
  /** Aborted by `/stop` or when the server is gone. */
  readonly signal: AbortSignal
  /** Identifies the call; every process it starts carries it in its environment. */
  readonly mark: string
  /** Tells the server that what the call started is being ended, so that it takes a busy process for no hung one. */
  readonly sayEnding: () => void
}

/** Throws `ToolFailure` for what the model can act on. */
export type Operation<Input> = (input: Input, context: OperationContext) => Promise<ToolResult>
