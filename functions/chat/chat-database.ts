/**
 * The SQLite of one chat object, as its stores see it. Everything that must be true together is written in one
 * `transaction`; workerd holds back every answer and outgoing call until what was written before it is durable.
 */
export type SqlValue = string | number | null
export type SqlRow = Readonly<Record<string, unknown>>

export interface ChatDatabase {
  /** @returns the rows of a query, or of a write with `RETURNING`; untrusted until parsed */
  query(sql: string, ...values: SqlValue[]): SqlRow[]
  /** All or nothing, and nothing else in between: `work` must not await. */
  transaction<T>(work: () => T): T
}

export function durableChatDatabase(storage: DurableObjectStorage): ChatDatabase {
  return {
    query: (sql, ...values) => storage.sql.exec(sql, ...values).toArray(),
    transaction: (work) => storage.transactionSync(work),
  }
}

/**
 * Tables of a chat object. Statements only add: an object may wake up with tables of an older release.
 *
 * `inbox` updates until 48 h after they were handled · `reports` what provisioning says · `outbox` every visible message,
 * before and after it is sent · `refs` names of sent messages · `store` the handlers' small values · `turns` what agents are
 * asked and how far the answer is · `pending_taken` results of background work that were taken over.
 */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS inbox (
    update_id INTEGER PRIMARY KEY, lane TEXT NOT NULL, state TEXT NOT NULL, payload TEXT NOT NULL,
    received_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0)`,
  'CREATE INDEX IF NOT EXISTS inbox_open ON inbox (state, lane, update_id)',
  `CREATE TABLE IF NOT EXISTS reports (
    deployment_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL, payload TEXT NOT NULL,
    received_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0)`,
  `CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, action TEXT NOT NULL,
    message_id INTEGER, after_id INTEGER, line_id INTEGER, wanted INTEGER NOT NULL DEFAULT 0, probed INTEGER NOT NULL DEFAULT 0, fallbacks INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, unknowns INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0,
    error TEXT, created_at INTEGER NOT NULL, ended_at INTEGER)`,
  'CREATE INDEX IF NOT EXISTS outbox_open ON outbox (state, seq)',
  'CREATE INDEX IF NOT EXISTS outbox_message ON outbox (message_id)',
  'CREATE TABLE IF NOT EXISTS refs (ref TEXT PRIMARY KEY, message_id INTEGER NOT NULL)',
  'CREATE TABLE IF NOT EXISTS store (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS turns (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, turn_id TEXT NOT NULL UNIQUE, agent_id TEXT NOT NULL, state TEXT NOT NULL,
    input TEXT NOT NULL, attachments TEXT, progress TEXT, stop_requested INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
    started_at INTEGER, ended_at INTEGER)`,
  'CREATE INDEX IF NOT EXISTS turns_open ON turns (state, seq)',
  `CREATE TABLE IF NOT EXISTS pending_taken (
    agent_id TEXT NOT NULL, result TEXT NOT NULL, taken_at INTEGER NOT NULL, PRIMARY KEY (agent_id, result))`,
] as const

/** Columns of later releases: tables that exist already get them here. */
const ADDED_COLUMNS = [
  ['turns', 'starts', 'INTEGER NOT NULL DEFAULT 0'],
  ['turns', 'offered', 'INTEGER NOT NULL DEFAULT 0'],
  ['turns', 'stop_owed', 'INTEGER NOT NULL DEFAULT 0'],
  ['turns', 'given_up', 'INTEGER NOT NULL DEFAULT 0'],
  ['turns', 'agent_turn', 'TEXT'],
  ['turns', 'offered_to', 'TEXT'],
  ['turns', 'editing', 'INTEGER NOT NULL DEFAULT 0'],
] as const

export function ensureTables(database: ChatDatabase): void {
  database.transaction(() => {
    for (const table of TABLES) database.query(table)
    for (const [table, column, type] of ADDED_COLUMNS) {
      const known = database.query(`SELECT 1 FROM pragma_table_info('${table}') WHERE name = '${column}'`)
      if (known.length === 0) database.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`)
    }
  })
}
