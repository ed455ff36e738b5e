/** `npm run db:migrate`: brings the database of LIBSQL_URL to the newest schema. */
import { migrateDatabase } from './migrate.ts'

const url = process.env.LIBSQL_URL
if (!url) {
  console.error('LIBSQL_URL: is not set')
  process.exit(1)
}
await migrateDatabase(url, process.env.LIBSQL_AUTH_TOKEN)
console.log('The database has the newest schema.')
