/** What a client of the gateway is told when something does not work, in the shape that OpenAI's packages read. */
import type { ContentfulStatusCode } from 'hono/utils/http-status'

export interface ApiFailure {
  readonly status: ContentfulStatusCode
  readonly code: string
  /** For a person; never an address, a key or a part of the request. */
  readonly message: string
  readonly retryAfterS?: number
  /** Waiting a moment helps. Otherwise OpenAI's packages are told not to repeat the request by themselves. */
  readonly canRetry?: boolean
}

export function renderFailure({ status, code, message, retryAfterS, canRetry = false }: ApiFailure): Response {
  const headers: Record<string, string> = { 'x-should-retry': String(canRetry) }
  if (retryAfterS !== undefined) headers['retry-after'] = String(retryAfterS)
  return Response.json(failureBody({ status, code, message }), { status, headers })
}

export function failureBody({ status, code, message }: ApiFailure) {
  return { error: { message, type: typeOf(status), param: null, code, status } }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
