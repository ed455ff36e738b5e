/** The port between the turn loop and the model: one request, answered as a stream of parts. */
import type { ToolDefinition } from '../tools/tool-runner.ts'
import type { RequestMessage } from './model-message.ts'

export interface ModelRequest {
  readonly model: string
  readonly messages: readonly RequestMessage[]
  readonly tools: readonly ToolDefinition[]
  /** `none`: the tools stay in the request, because they are part of its prefix, but may not be called. */
  readonly toolChoice: 'auto' | 'none'
  readonly maxTokens: number
  readonly signal: AbortSignal
}

export interface Usage {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
}

/** A tool call as it arrived: nothing in it is trusted yet. */
export interface RawToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export type ModelPart =
  | { readonly kind: 'content'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | {
      readonly kind: 'end'
      readonly finish: 'stop' | 'length' | 'tool_calls'
      readonly calls: readonly RawToolCall[]
      readonly usage?: Usage
    }

export interface ModelClient {
  /**
   * One attempt, not repeated.
   * @throws {ModelFailure} already classified; `stopped` when `request.signal` was aborted
   */
  stream(request: ModelRequest): AsyncIterable<ModelPart>
}
