/**
 * What a failed request to the model means, and whether asking again can help. The texts searched for are those of vLLM,
 * SGLang, LiteLLM, OpenAI and Baal's own gateway.
 */
import type { ErrorCode } from '../protocol.ts'

export type FailureKind =
  /** Network, 5xx, time-out, broken stream: worth repeating. */
  | 'transient'
  /** 429 that passes by waiting. */
  | 'rate_limited'
  /** 402, or a 429 that waiting does not cure. */
  | 'out_of_credit'
  | 'unauthorized'
  /** The request is longer than the model's context. */
  | 'overflow'
  /** The request is refused as it is: repeating it is useless. */
  | 'refused'
  /** Our own signal. */
  | 'stopped'

export class ModelFailure extends Error {
  readonly code = 'model_failure'
  readonly kind: FailureKind
  readonly retryAfterMs: number | undefined
  /** The context length the server named, if it did. */
  readonly contextTokens: number | undefined

  constructor(
    kind: FailureKind,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | undefined; contextTokens?: number | undefined } = {},
  ) {
    super(message, options)
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs
    this.contextTokens = options.contextTokens
  }
}

/** What a failure that is final is called on the wire. */
export function codeOfFailure(kind: FailureKind): ErrorCode {
  switch (kind) {
    case 'rate_limited':
    case 'out_of_credit':
    case 'unauthorized':
      return kind
    case 'overflow':
      return 'context_overflow'
    case 'refused':
      return 'model_refused'
    case 'transient':
    case 'stopped':
      return 'model_unreachable'
  }
}

const OVERFLOW =
  /context[_ ]length[_ ]exceeded|maximum context length|context window|prompt is too long|too many tokens|exceeds? (?:the )?(?:model'?s? )?max(?:imum)?[_ ](?:model|context|input)|input (?:is )?too long|max_model_len|longer than the model's context/i
const OUT_OF_CREDIT =
  /insufficient[_ ](?:quota|credit|balance|funds)|out[_ ]of[_ ]credit|exceeded your current quota|credit balance|no credits?|budget|billing|payment required|daily limit/i
const CONTEXT_TOKENS = /(?:maximum context length (?:is|of)|max_model_len\D{0,12}|context window of)\s*(\d{3,8})/i

export interface HttpFailure {
  readonly status: number
  /** Body or message, whatever the server said. */
  readonly text: string
  readonly retryAfter?: string | null | undefined
  readonly cause?: unknown
}

export function classifyHttpFailure({ status, text, retryAfter, cause }: HttpFailure): ModelFailure {
  const said = text.slice(0, 500)
  const build = (kind: FailureKind) =>
    new ModelFailure(kind, `the model server answered ${status}: ${said}`, {
      cause,
      retryAfterMs: parseRetryAfter(retryAfter),
      contextTokens: parseContextTokens(text),
    })
  if (status === 413 || ((status === 400 || status === 422) && OVERFLOW.test(text))) return build('overflow')
  if (status === 402 || ((status === 429 || status === 403) && OUT_OF_CREDIT.test(text))) return build('out_of_credit')
  if (status === 429) return build('rate_limited')
  if (status === 401 || status === 403) return build('unauthorized')
  if (status === 408 || status === 409 || status === 425 || status >= 500) return build('transient')
  return build('refused')
}

/** Seconds or an HTTP date, as milliseconds from now. */
function parseRetryAfter(value: string | null | undefined, now = Date.now()): number | undefined {
  if (!value) return undefined
  const seconds = Number(value)
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - now
  return Number.isFinite(waitMs) ? Math.max(waitMs, 0) : undefined
}

function parseContextTokens(text: string): number | undefined {
  const found = CONTEXT_TOKENS.exec(text)?.[1]
  return found ? Number(found) : undefined
}
