/**
 * The model provider, called with the real key. Nothing of its answer that could hold the key, an address or another
 * customer's affairs goes on: refusals are told in our own words, except what is wrong with the request itself.
 */
import { z } from 'zod'
import { describeError, log } from '../log.ts'
import type { ApiFailure } from './api-failure.ts'

const RETRY_PAUSE_MS = 250
const MAX_REASON_CHARS = 600

export interface ProviderRequest {
  readonly baseUrl: string
  /** A second address of the provider, for when the first one fails. */
  readonly fallbackUrl: string | undefined
  /** Until the answer begins. */
  readonly timeoutMs: number
  readonly key: string
  readonly body: string
  /** Whose key it is decides what a refusal of it means. */
  readonly isOwnersKey: boolean
  /** The client has gone. */
  readonly signal: AbortSignal
}

export type ProviderAnswer = { readonly response: Response } | { readonly failure: ApiFailure }

const ErrorBody = z.looseObject({
  error: z.union([z.string(), z.looseObject({ message: z.string() })]).optional(),
  message: z.string().optional(),
  detail: z.string().optional(),
})

/** Asks once more, elsewhere where there is one, when nothing came back: the client has been sent nothing yet. */
export async function askProvider(request: ProviderRequest): Promise<ProviderAnswer> {
  const { baseUrl, fallbackUrl, signal } = request
  const first = await attempt(baseUrl, request)
  if (!('failure' in first) || !isWorthAnother(first.failure, fallbackUrl !== undefined)) return first
  if (fallbackUrl === undefined) await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
  return signal.aborted ? first : attempt(fallbackUrl ?? baseUrl, request)
}

/** A busy or slow provider is not asked the same again at once, but another one may be neither. */
function isWorthAnother({ status, code, canRetry }: ApiFailure, elsewhere: boolean): boolean {
  if (status === 502) return canRetry === true
  return elsewhere && (code === 'provider_busy' || code === 'provider_slow')
}

async function attempt(baseUrl: string, request: ProviderRequest): Promise<ProviderAnswer> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), request.timeoutMs)
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${request.key}`, 'content-type': 'application/json' },
      body: request.body,
      signal: AbortSignal.any([request.signal, late.signal]),
    })
    return response.ok ? { response } : { failure: await explain(response, request) }
  } catch (error) {
    if (late.signal.aborted) {
      return { failure: { status: 504, code: 'provider_slow', message: 'The model did not answer in time.' } }
    }
    if (!request.signal.aborted)
      log('warn', 'provider_unreachable', { error: withoutKey(describeError(error), request) })
    return { failure: UNREACHABLE }
  } finally {
    clearTimeout(timer)
  }
}

const UNREACHABLE: ApiFailure = {
  status: 502,
  code: 'provider_unreachable',
  message: 'The model provider does not answer.',
  canRetry: true,
}

async function explain(response: Response, request: ProviderRequest): Promise<ApiFailure> {
  const { status } = response
  const reason = withoutKey(await readReason(response), request)
  log('warn', 'provider_refused', { status, reason, owners: request.isOwnersKey })
  if (status === 401 || status === 403) {
    return request.isOwnersKey
      ? { status: 403, code: 'owner_key_refused', message: 'The model provider refuses the owner’s key. See /account.' }
      : { status: 502, code: 'provider_key_refused', message: 'The model provider refuses Baal’s key.' }
  }
  if (status === 402)
    return { status, code: 'out_of_credit', message: 'The account at the model provider is out of credit.' }
  if (status === 429) {
    const retryAfterS = Number(response.headers.get('retry-after')) || undefined
    const message = /credit|quota|billing|balance/i.test(reason)
      ? 'The account at the model provider is out of credit.'
      : 'The model is busy.'
    return { status, code: 'provider_busy', message, canRetry: true, ...(retryAfterS ? { retryAfterS } : {}) }
  }
  if (status === 400 || status === 404 || status === 413 || status === 422) {
    return { status, code: 'refused_by_model', message: reason || 'The model refuses this request.' }
  }
  return { ...UNREACHABLE, code: 'provider_error', message: `The model provider failed (${status}).` }
}

async function readReason(response: Response): Promise<string> {
  try {
    const text = (await response.text()).slice(0, 16_384)
    const parsed = ErrorBody.safeParse(JSON.parse(text))
    if (!parsed.success) return ''
    const { error, message, detail } = parsed.data
    const reason = (typeof error === 'string' ? error : error?.message) ?? message ?? detail ?? ''
    return reason.slice(0, MAX_REASON_CHARS).toWellFormed()
  } catch {
    // A page of a proxy, or a body that broke off: the status says enough.
    return ''
  }
}

/** Providers repeat a refused key, in part: what looks like its start or its end goes too. */
function withoutKey(text: string, { key }: ProviderRequest): string {
  return text
    .replaceAll(key, '[key]')
    .replace(/\b(?:sk|pk|key|api)[-_][\w*.-]{6,}/gi, '[key]')
    .replace(/\S*\*{3,}\S*/g, '[key]')
}
