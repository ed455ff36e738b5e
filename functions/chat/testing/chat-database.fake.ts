import { DatabaseSync } from 'node:sqlite'
import { type ChatDatabase, ensureTables } from '../chat-database.ts'

/** The object's tables, in memory or in a file, for tests outside workerd. */
export function fakeChatDatabase(path = ':memory:'): ChatDatabase {
  const sqlite = new DatabaseSync(path)
  const database: ChatDatabase = {
    query: (sql, ...values) => sqlite.prepare(sql).all(...values),
    transaction: (work) => {
      sqlite.exec('SAVEPOINT step')
      try {
        const result = work()
        sqlite.exec('RELEASE step')
        return result
      } catch (error) {
        sqlite.exec('ROLLBACK TO step; RELEASE step')
        throw error
      }
    },
  }
  ensureTables(database)
  return database
}
