/** Asks the model for the updated summary of rows that are about to leave the request. */
import { readAnswer } from '../model/answer.ts'
import { wellFormed } from '../model/model-message.ts'
import type { ModelClient } from '../model/model-port.ts'
import { buildSummaryPrompt, SUMMARY_SYSTEM_PROMPT } from './compaction-prompts.ts'
import type { HistoryRow } from './history.ts'
import { renderTranscript } from './transcript.ts'

const MAX_SUMMARY_TOKENS = 2048
/** Of what the model takes, so that the request fits even where our count is low; at two characters a token. */
const TRANSCRIPT_SHARE = 0.5
const CHARS_PER_TOKEN = 2

export interface SummaryRequest {
  readonly model: ModelClient
  readonly modelId: string
  readonly previous: string
  readonly rows: readonly HistoryRow[]
  readonly limitTokens: number
  readonly signal: AbortSignal
}

/** @throws {Error} when there is no usable summary; one attempt, because a trim is ready to take its place */
export async function summarizeRows(request: SummaryRequest): Promise<string> {
  const maxChars = Math.floor(request.limitTokens * TRANSCRIPT_SHARE * CHARS_PER_TOKEN)
  const prompt = buildSummaryPrompt(request.previous, renderTranscript(request.rows, maxChars))
  const parts = request.model.stream({
    model: request.modelId,
    messages: [
      { role: 'system', content: SUMMARY_SYSTEM_PROMPT },
      // People send halves of characters, and clipping makes them; they are refused by JSON parsers.
      { role: 'user', content: wellFormed(prompt) },
    ],
    tools: [],
    toolChoice: 'none',
    maxTokens: MAX_SUMMARY_TOKENS,
    signal: request.signal,
  })
  for await (const part of readAnswer(parts, [])) {
    if (part.kind !== 'answer') continue
    if (part.answer.content.trim() === '') break
    return part.answer.content
  }
  throw new Error('the model gave no summary')
}
