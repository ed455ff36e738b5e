/** A failure that a person may be told of: `message` is for the log, `userMessage` for the chat; a secret belongs in neither. */
export abstract class UserFacingError extends Error {
  abstract readonly code: string
  abstract readonly userMessage: string
}
