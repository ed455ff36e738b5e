/** How much a model takes. Context sizes in tokens, as LibertAI serves them. */
const CONTEXT_TOKENS: Readonly<Record<string, number>> = {
  'qwen3-coder-next': 98_304,
  'glm-4.7': 131_072,
}
/** For a model we know nothing about: what nearly every served model takes. */
const UNKNOWN_MODEL_TOKENS = 32_768
/** More than one answer needs, even with a long file in a tool call. */
const MAX_ANSWER_TOKENS = 16_384

export function contextTokensOf(model: string, configured: number): number {
  return configured > 0 ? configured : (CONTEXT_TOKENS[model] ?? UNKNOWN_MODEL_TOKENS)
}

/** Room for the answer: all that is left, within reason, but never less than what is kept free for it. */
export function answerTokens(contextTokens: number, promptTokens: number, reserveTokens: number): number {
  return Math.max(reserveTokens, Math.min(MAX_ANSWER_TOKENS, contextTokens - promptTokens - reserveTokens))
}
