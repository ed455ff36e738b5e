/** Fills a database from a backup. It must be empty, or the person says that what is in it may go. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { type Client, createClient } from '@libsql/client/web'
import { OperatorError } from '../operator-error.ts'
import { type DatabaseAddress, LAST_STATEMENT } from './backup.ts'
import { sqlStatements } from './sql-statements.ts'

/** Statements in one request. */
const BATCH = 250
const BATCH_CHARS = 1_000_000
/** What a dump consists of; its own transaction would not last over requests. */
const OF_A_DUMP = /^(CREATE (TABLE|(UNIQUE )?INDEX)|INSERT INTO) /i
const FRAME = /^(PRAGMA foreign_keys|BEGIN|COMMIT)\b/i

export interface Restored {
  readonly tables: number
  readonly rows: number
}

/** @throws {OperatorError}; a database that was being filled then holds a part, which `replace` clears away */
export async function restore(
  file: string,
  { url, authToken }: DatabaseAddress,
  { replace }: { readonly replace: boolean },
): Promise<Restored> {
  // Before anything is touched: a file that is cut, or is something else, must cost nobody their data.
  await checkWhole(file)
  const client = createClient({ url, ...(authToken ? { authToken } : {}) })
  try {
    const existing = await tablesOf(client)
    if (existing.length > 0 && !replace) {
      throw new OperatorError(
        `The database is not empty: it has ${existing.length} tables.`,
        'Restore into an empty one, or say --replace: then everything that is in it now is gone.',
      )
    }
    await client.batch(
      existing.map((table) => `DROP TABLE "${table.replaceAll('"', '""')}"`),
      'write',
    )
    return await fill(client, file)
  } finally {
    client.close()
  }
}

async function fill(client: Client, file: string): Promise<Restored> {
  const restored = { tables: 0, rows: 0 }
  let batch: string[] = []
  let chars = 0
  const send = async () => {
    if (batch.length > 0) await client.batch(batch, 'write')
    batch = []
    chars = 0
  }
  for await (const statement of readStatements(file)) {
    if (FRAME.test(statement)) continue
    if (/^CREATE TABLE/i.test(statement)) restored.tables += 1
    if (/^INSERT/i.test(statement)) restored.rows += 1
    batch.push(statement)
    chars += statement.length
    if (batch.length >= BATCH || chars >= BATCH_CHARS) await send()
  }
  await send()
  return restored
}

async function checkWhole(file: string): Promise<void> {
  let last = ''
  try {
    for await (const statement of readStatements(file)) {
      if (!OF_A_DUMP.test(statement) && !FRAME.test(statement)) throw new TypeError('a statement of another kind')
      last = statement
    }
  } catch (cause) {
    throw new OperatorError(`${file} is no backup, or a damaged one.`, 'Nothing was changed. Take another file.', {
      cause,
    })
  }
  if (last !== LAST_STATEMENT) {
    throw new OperatorError(`${file} ends in the middle.`, 'Nothing was changed. Take another file.')
  }
}

function readStatements(file: string): AsyncGenerator<string> {
  const unzipped = createReadStream(file).pipe(createGunzip())
  unzipped.setEncoding('utf8')
  return sqlStatements(unzipped)
}

async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.execute(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'libsql\\_%' ESCAPE '\\'",
  )
  return rows.map(({ name }) => String(name))
}
