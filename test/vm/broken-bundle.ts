/** A newer agent server that goes wrong late: it changes the schema of the database, and ends before it listens. */

/** The last entry of `agent-vm/storage/migrations.ts` and the end of the list. */
const LAST_MIGRATION = /(configured TEXT NOT NULL\s+\) WITHOUT ROWID\s+`)\]/
const END_BEFORE_LISTENING = `import{Server as __Server}from'node:net';
__Server.prototype.listen=()=>{console.error('the end of the world');process.exit(1)};
`

export function breakAfterMigration(bundle: string): string {
  const migrating = bundle.replace(LAST_MIGRATION, '$1,"ALTER TABLE messages ADD COLUMN of_next_year TEXT"]')
  if (migrating === bundle) throw new Error('the migrations are not where they were in the bundle')
  return END_BEFORE_LISTENING + migrating
}
