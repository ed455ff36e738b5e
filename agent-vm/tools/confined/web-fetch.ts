/**
 * Reads a public address. This runs in the tool process, not in the server: what the web sends is hostile input to big parsers,
 * and here a flaw in them finds no key, no database and no right that the shell does not have.
 */
import type { Operation } from './operation.ts'

export interface WebFetchInput {
  readonly url: string
  readonly offset: number
}

export const webFetch: Operation<WebFetchInput> = async (input, { signal }) => {
  // Lazy: the HTML libraries cost 20 MB that a process which never reads the web should not hold.
  const { readPage } = await import('../web/read-page.ts')
  return readPage(input, signal)
}
