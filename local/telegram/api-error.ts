/** A refusal by the Bot API: what the caller sees as `error_code`, `description` and `parameters`. */
export interface ErrorParameters {
  readonly retry_after?: number
  readonly migrate_to_chat_id?: number
}

export class ApiError extends Error {
  readonly errorCode: number
  readonly parameters: ErrorParameters | undefined

  constructor(errorCode: number, description: string, parameters?: ErrorParameters) {
    super(description)
    this.errorCode = errorCode
    this.parameters = parameters
  }
}

/**
 * A 400 worded as the Bot API server words it: the first letter is lowered unless the message is one of Telegram's own
 * codes (`TEXTDRAFT_PEER_INVALID`), known by a second letter that is a capital or `_`.
 */
export function badRequest(message: string): ApiError {
  const isCode = /^.[A-Z_]/.test(message)
  return new ApiError(400, `Bad Request: ${isCode ? message : message.charAt(0).toLowerCase() + message.slice(1)}`)
}

export function forbidden(message: string): ApiError {
  return new ApiError(403, `Forbidden: ${message}`)
}

export function tooManyRequests(retryAfterS: number): ApiError {
  return new ApiError(429, `Too Many Requests: retry after ${retryAfterS}`, { retry_after: retryAfterS })
}
