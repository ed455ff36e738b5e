/**
 * A copy of the whole database as compressed SQL: the server's own dump, read in one transaction, so that it is one moment of
 * the database however long it takes, and never held in memory as a whole.
 */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { OperatorError } from '../operator-error.ts'

export interface DatabaseAddress {
  readonly url: string
  readonly authToken?: string | undefined
}

/** The dump's last statement: without it something is missing. */
export const LAST_STATEMENT = 'COMMIT'

/** @returns how many bytes the file has. @throws {OperatorError}; then there is no file */
export async function backUp({ url, authToken }: DatabaseAddress, file: string): Promise<number> {
  const dump = await openDump(url, authToken)
  const partial = `${file}.partial`
  let tail = ''
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      tail = (tail + chunk.toString('latin1')).slice(-64)
      done(null, chunk)
    },
  })
  try {
    // Sealed keys and people's names: for its owner alone.
    await pipeline(Readable.fromWeb(dump as never), watch, createGzip(), createWriteStream(partial, { mode: 0o600 }))
    if (!tail.trimEnd().endsWith(`${LAST_STATEMENT};`)) {
      throw new OperatorError('The database broke off in the middle of its dump.', 'Run it again.')
    }
    await rename(partial, file)
    return (await stat(file)).size
  } catch (error) {
    await rm(partial, { force: true })
    if (error instanceof OperatorError) throw error
    throw new OperatorError('The backup broke off.', 'Check the network and the space on the disk; run it again.', {
      cause: error,
    })
  }
}

async function openDump(url: string, authToken: string | undefined): Promise<ReadableStream<Uint8Array>> {
  const address = new URL('/dump', url.replace(/^libsql:/, 'https:').replace(/^ws/, 'http'))
  const response = await fetch(address, authToken ? { headers: { authorization: `Bearer ${authToken}` } } : {}).catch(
    (cause: unknown) => {
      throw new OperatorError('The database does not answer.', 'Check LIBSQL_URL and that the database runs.', {
        cause,
      })
    },
  )
  if (response.ok && response.body) return response.body
  await response.body?.cancel()
  if (response.status === 401 || response.status === 403) {
    throw new OperatorError('The database refuses the token.', 'Make a new LIBSQL_AUTH_TOKEN (turso db tokens create).')
  }
  throw new OperatorError(
    `The database answers ${response.status} to GET /dump.`,
    'Use its own way to make a copy (Turso keeps points in time), or a server that has /dump.',
  )
}
