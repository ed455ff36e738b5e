/** Everything that outlives a restart, in one SQLite file: `telegram.db` in the data directory, or in memory without one. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS rooms (id INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS topics (
  chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (chat_id, thread_id)) STRICT;
CREATE TABLE IF NOT EXISTS messages (
  chat_id INTEGER NOT NULL, message_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, from_id INTEGER NOT NULL,
  json TEXT NOT NULL, PRIMARY KEY (chat_id, message_id)) STRICT;
CREATE TABLE IF NOT EXISTS reactions (
  chat_id INTEGER NOT NULL, message_id INTEGER NOT NULL, user_id INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (chat_id, message_id, user_id)) STRICT;
CREATE TABLE IF NOT EXISTS reads (
  user_id INTEGER NOT NULL, chat_id INTEGER NOT NULL, thread_id INTEGER NOT NULL, message_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, chat_id, thread_id)) STRICT;
CREATE TABLE IF NOT EXISTS files (
  file_id TEXT PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS updates (
  update_id INTEGER PRIMARY KEY, queue TEXT NOT NULL, json TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS callbacks (
  id TEXT PRIMARY KEY, user_id INTEGER NOT NULL, asked_at INTEGER NOT NULL, answered INTEGER NOT NULL) STRICT;
`

export function openDatabase(dataDir?: string): DatabaseSync {
  if (dataDir) mkdirSync(dataDir, { recursive: true })
  const database = new DatabaseSync(dataDir ? join(dataDir, 'telegram.db') : ':memory:')
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;')
  database.exec(SCHEMA)
  return database
}

/** All or nothing. Not to be nested, and nothing in it may wait. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
