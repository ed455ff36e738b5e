/** Something that no person could do in the app, or that a test waited for in vain. */
export class SimError extends Error {
  readonly code = 'sim'
}
