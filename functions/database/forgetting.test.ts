import { getTableColumns, is, Table } from 'drizzle-orm'
import { expect, test } from 'vitest'
import * as schema from './schema.ts'

/** Columns that say whose a row is. */
const OWNERS = ['userId', 'ownerId', 'agentId']
/** What `erasePerson` deletes, `users` by its own id. A machine outlives its agent until it is confirmed gone, and names nobody. */
const ERASED = ['agentMembers', 'agents', 'deployments', 'links', 'messageCounts', 'personChats', 'usage']
const OUTLIVES = ['machines']

test('every table whose rows are somebody’s is thought of when that person is forgotten', () => {
  const owned = Object.entries(schema)
    .filter(
      ([, table]) => is(table, Table) && Object.keys(getTableColumns(table)).some((column) => OWNERS.includes(column)),
    )
    .map(([name]) => name)
  expect(owned.toSorted()).toEqual([...ERASED, ...OUTLIVES].toSorted())
})
