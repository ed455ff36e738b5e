/**
 * The agent's one database: history, journal, pending results, settings.
 *
 * WAL with `synchronous=NORMAL`: a commit is in the file system's hands before it returns, so a killed process loses nothing.
 * What a power cut could take back are the last commits, in order; that is why the commit that lets a writing tool begin, and
 * the one that stores a pending result, go through `durably` (FULL): everything before them is on the disk as well.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { keepFormer } from './former-database.ts'
import { MIGRATIONS } from './migrations.ts'

export class DatabaseTooNew extends Error {
  readonly code = 'database_too_new'
  constructor(found: number, known: number) {
    super(
      `the database has version ${found}, this program knows ${known}: ` +
        'it was written by a newer agent. Nothing was changed. Run the newer program, or set DB_PATH to another file.',
    )
  }
}

export interface Database {
  /** A cached prepared statement. */
  prepare(sql: string): StatementSync
  /** Runs `work` in one transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T
  /** As `transaction`, and on the disk itself when it returns. */
  durably<T>(work: () => T): T
  close(): void
}

/**
 * @param path file, made with its folder when missing (both private to this user), or `:memory:`
 * @param migrations tests hand in those of another program
 * @throws {DatabaseTooNew} before anything is written
 */
export function openDatabase(path: string, migrations: readonly string[] = MIGRATIONS): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const umask = process.umask(0o077)
  const sqlite = new DatabaseSync(path, { timeout: 5000 })
  try {
    refuseNewer(sqlite, migrations.length)
    sqlite.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000; PRAGMA foreign_keys=ON')
    migrate(sqlite, path, migrations)
  } catch (error) {
    sqlite.close()
    throw error
  } finally {
    process.umask(umask)
  }
  return wrap(sqlite)
}

function refuseNewer(sqlite: DatabaseSync, known: number): void {
  const version = readVersion(sqlite)
  if (version > known) throw new DatabaseTooNew(version, known)
}

function readVersion(sqlite: DatabaseSync): number {
  return Number(sqlite.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

/** All at once: between two versions there would be no former one to go back to. */
function migrate(sqlite: DatabaseSync, path: string, migrations: readonly string[]): void {
  const version = readVersion(sqlite)
  if (version === migrations.length) return
  if (version > 0) keepFormer(sqlite, path)
  const statements = migrations.slice(version).join(';')
  sqlite.exec(`BEGIN IMMEDIATE; ${statements}; PRAGMA user_version=${migrations.length}; COMMIT`)
}

function wrap(sqlite: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>()
  let depth = 0
  const prepare = (sql: string) => {
    const known = statements.get(sql)
    if (known) return known
    const statement = sqlite.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work()
    prepare('BEGIN IMMEDIATE').run()
    depth++
    try {
      const result = work()
      prepare('COMMIT').run()
      return result
    } catch (error) {
      // A full disk has rolled it back already.
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
      throw error
    } finally {
      depth--
    }
  }
  const durably = <T>(work: () => T): T => {
    if (depth > 0) return work()
    sqlite.exec('PRAGMA synchronous=FULL')
    try {
      return transaction(work)
    } finally {
      sqlite.exec('PRAGMA synchronous=NORMAL')
    }
  }
  return { prepare, transaction, durably, close: () => sqlite.close() }
}
