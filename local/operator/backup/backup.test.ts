import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Client, createClient, type ResultSet } from '@libsql/client/web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import journal from '../../../migrations/meta/_journal.json' with { type: 'json' }
import { migrateDatabase, pendingMigrations } from '../../migrate.ts'
import { freePort, type Sqld, startSqld } from '../../sqld.ts'
import { backUp } from './backup.ts'
import { restore } from './restore.ts'
import { sqlStatements } from './sql-statements.ts'

const ODD = [
  "O'Neil; DROP TABLE users;",
  'two\nlines\r\n',
  '"quoted" `ticks` -- no comment',
  '🦊 \\n',
  '',
  'x'.repeat(20_000),
]

let folder: string
let source: Sqld
let target: Sqld
let file: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-backup-'))
  file = join(folder, 'baal.sql.gz')
  ;[source, target] = await Promise.all([
    startSqld({ dataDir: join(folder, 'source') }),
    startSqld({ dataDir: join(folder, 'target') }),
  ])
  await migrateDatabase(source.url)
  await using(source, async (client) => {
    for (const [index, name] of ODD.entries()) {
      await client.execute({
        sql: 'INSERT INTO users (id, first_name, created_at) VALUES (?, ?, ?)',
        args: [2 ** 52 + index, name, 1],
      })
    }
    const counts = Array.from({ length: 1_200 }, (_, id) => `(${id}, 'user', '2026-11-24', ${id})`)
    await client.execute(`INSERT INTO message_counts (user_id, scope, day, count) VALUES ${counts.join()}`)
    await client.execute("INSERT INTO metrics VALUES ('2026-11-24', 'baal_turn_seconds_sum', '', 1234.5678901234567)")
  })
})
afterAll(async () => {
  await source?.close()
  await target?.close()
  await rm(folder, { recursive: true, force: true })
})

async function using<T>({ url }: Sqld, work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ url, intMode: 'bigint' })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

/** Everything that is in it: tables, indexes, rows. */
const contentOf = (sqld: Sqld) =>
  using(sqld, async (client) => {
    const schema = await client.execute(
      "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name",
    )
    const tables = schema.rows.filter(({ type }) => type === 'table').map(({ name }) => String(name))
    const rows = await Promise.all(
      tables.map(async (table) => linesOf(await client.execute(`SELECT * FROM "${table}"`))),
    )
    return {
      schema: schema.rows.map((row) => ({ ...row, sql: String(row.sql).replaceAll('IF NOT EXISTS ', '') })),
      rows,
    }
  })

/** In an order of their own: a dump may keep another. */
const linesOf = ({ rows }: ResultSet) => rows.map((row) => Object.values(row).map(String).join('\u0000')).toSorted()

const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'it went well',
    (error: Error) => error.message,
  )

describe('npm run backup and npm run restore', () => {
  test('make an empty database the same as the one that was backed up', async () => {
    await backUp({ url: source.url }, file)
    expect(await restore(file, { url: target.url }, { replace: false })).toEqual({
      tables: expect.any(Number),
      rows: 1_200 + ODD.length + 1 + journal.entries.length,
    })
    expect(await contentOf(target)).toEqual(await contentOf(source))
    expect(await pendingMigrations(target.url)).toEqual([])
  })

  test('keep the copy for its owner alone', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  test('refuse a database that is not empty, unless told to replace what is in it', async () => {
    await using(target, (client) => client.execute("UPDATE users SET first_name = 'changed since'"))
    const before = await contentOf(target)
    expect(await failure(restore(file, { url: target.url }, { replace: false }))).toContain('is not empty')
    expect(await contentOf(target)).toEqual(before)
    await restore(file, { url: target.url }, { replace: true })
    expect(await contentOf(target)).toEqual(await contentOf(source))
  })

  test.each([
    ['cut', (sql: Buffer) => gzipSync(sql.subarray(0, sql.length / 2))],
    ['cut in its compressed form', (sql: Buffer) => gzipSync(sql).subarray(0, 900)],
    ['without its end', (sql: Buffer) => gzipSync(sql.toString().replace(/COMMIT;\s*$/, ''))],
    ['not a backup', () => Buffer.from('hello')],
    ['more than a backup', (sql: Buffer) => gzipSync(sql.toString().replace('COMMIT;', 'DELETE FROM users; COMMIT;'))],
  ])('touch nothing for a file that is %s', async (_, damage) => {
    const damaged = join(folder, 'damaged.sql.gz')
    await writeFile(damaged, damage(gunzipSync(await readFile(file))))
    const before = await contentOf(target)
    expect(await failure(restore(damaged, { url: target.url }, { replace: true }))).toMatch(
      /is no backup|ends in the middle/,
    )
    expect(await contentOf(target)).toEqual(before)
  })

  test('leave no file behind when the database does not answer', async () => {
    expect(
      await failure(backUp({ url: `http://127.0.0.1:${await freePort()}` }, join(folder, 'none.sql.gz'))),
    ).toContain('does not answer')
    expect((await readdir(folder)).filter((name) => name.startsWith('none'))).toEqual([])
  })

  test('see one moment of a database that is written to meanwhile', async () => {
    let stop = false
    const writing = using(source, async (client) => {
      for (let n = 0; !stop; n++) {
        await client.batch(
          [
            `INSERT INTO metrics VALUES ('', 'left', 'n${n}', ${n})`,
            `INSERT INTO metrics VALUES ('', 'right', 'n${n}', ${n})`,
          ],
          'write',
        )
      }
    })
    await backUp({ url: source.url }, join(folder, 'busy.sql.gz'))
    stop = true
    await writing
    const sql = gunzipSync(await readFile(join(folder, 'busy.sql.gz'))).toString()
    expect(sql.match(/'left'/g)?.length ?? 0).toBe(sql.match(/'right'/g)?.length ?? 0)
  })
})

test('statements are found however the stream is cut', async () => {
  const sql = `A 'x;''y;'; B "c;d" ;\nC \`e;\`;`
  for (let size = 1; size < 8; size++) {
    const chunks = async function* () {
      for (let at = 0; at < sql.length; at += size) yield sql.slice(at, at + size)
    }
    expect(await Array.fromAsync(sqlStatements(chunks()))).toEqual(["A 'x;''y;'", 'B "c;d"', 'C `e;`'])
  }
})
