/**
 * The messages of the next request: the system prompt of the epoch, the summary, the live rows. Between compactions it only
 * grows at its end, so that the server can reuse what it has computed.
 */

import { renderSummary } from '../history/compaction-prompts.ts'
import type { HistoryRow, HistoryState } from '../history/history.ts'
import { buildLegalMessages } from '../history/legal-messages.ts'
import { estimateMessageTokens, estimateTokens } from '../history/token-estimate.ts'
import type { ModelMessage, RequestMessage } from '../model/model-message.ts'
import type { Usage } from '../model/model-port.ts'
import type { ToolDefinition } from '../tools/tool-runner.ts'

type ConversationState = Pick<HistoryState, 'systemPrompt' | 'summary' | 'usedTokens' | 'usedUpTo'>

/** Of a conversation that is still to be opened. */
export const UNOPENED: ConversationState = { systemPrompt: '', summary: '', usedTokens: 0, usedUpTo: 0 }

export class Conversation {
  readonly #systemPrompt: string
  readonly #summary: string
  readonly #tools: readonly ToolDefinition[]
  readonly #messages: ModelMessage[]
  /** What the server counted for all messages before `#anchored`; 0 when it did not. */
  #anchorTokens: number
  #anchored: number

  constructor(state: ConversationState, rows: readonly HistoryRow[], tools: readonly ToolDefinition[]) {
    this.#systemPrompt = state.systemPrompt
    this.#summary = state.summary
    this.#tools = tools
    this.#messages = rows.map(({ message }) => message)
    this.#anchorTokens = state.usedTokens
    this.#anchored = state.usedTokens > 0 ? rows.filter(({ id }) => id <= state.usedUpTo).length : 0
  }

  /** Tokens that no compaction can save. */
  get fixedTokens(): number {
    const tools = this.#tools.length > 0 ? estimateTokens(JSON.stringify(this.#tools)) : 0
    return estimateTokens(this.#systemPrompt) + tools
  }

  get promptTokens(): number {
    const tail = this.#messages.slice(this.#anchored)
    const start = this.#anchorTokens > 0 ? this.#anchorTokens : this.fixedTokens + estimateTokens(this.#summary)
    return tail.reduce((sum, message) => sum + estimateMessageTokens(message), start)
  }

  add(...messages: readonly ModelMessage[]): void {
    this.#messages.push(...messages)
  }

  /** The server's own count for the request that led to the last message. */
  anchor(usage: Usage): void {
    this.#anchorTokens = usage.promptTokens + usage.completionTokens
    this.#anchored = this.#messages.length
  }

  /** @param extra asked with this request only */
  request(extra: readonly ModelMessage[] = []): RequestMessage[] {
    const summary: ModelMessage[] = this.#summary ? [{ role: 'user', content: renderSummary(this.#summary) }] : []
    return [
      { role: 'system', content: this.#systemPrompt },
      ...buildLegalMessages([...summary, ...this.#messages, ...extra]),
    ]
  }
}
