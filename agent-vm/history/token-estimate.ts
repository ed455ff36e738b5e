/**
 * How many tokens a request has. The server's own figure for the last request is the anchor; only what came after it is
 * estimated, by characters. Three characters a token is right for code and safe for prose; CJK needs about one.
 */
import type { RequestMessage } from '../model/model-message.ts'

const CHARS_PER_TOKEN = 3
/** Role, separators and call ids, as chat templates write them. */
const TOKENS_PER_MESSAGE = 8
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/g
/** Counting wide characters in more than this costs more than it tells. */
const SAMPLE_CHARS = 20_000

export function estimateTokens(text: string): number {
  if (text.length === 0) return 0
  const sample = text.length > SAMPLE_CHARS ? text.slice(0, SAMPLE_CHARS) : text
  const wideShare = (sample.match(WIDE)?.length ?? 0) / sample.length
  return Math.ceil(text.length * wideShare + (text.length * (1 - wideShare)) / CHARS_PER_TOKEN)
}

export function estimateMessageTokens(message: RequestMessage): number {
  const calls = message.role === 'assistant' && message.tool_calls ? JSON.stringify(message.tool_calls) : ''
  return TOKENS_PER_MESSAGE + estimateTokens(message.content) + estimateTokens(calls)
}
