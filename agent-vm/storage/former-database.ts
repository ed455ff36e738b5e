/**
 * A database as it was before a newer program changed its schema, beside it as `<file>.former`. An older program refuses what a
 * newer one wrote, so whoever goes back to the older (the deploy-runner, when the newer does not come up) puts this in its place,
 * and removes it once the newer one has answered.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { FORMER_DATABASE_SUFFIX } from '../protocol.ts'

/** Whole or not at all, and on the disk when it returns. Takes the place of an older one. */
export function keepFormer(database: DatabaseSync, path: string): void {
  const unfinished = `${path}${FORMER_DATABASE_SUFFIX}.new`
  rmSync(unfinished, { force: true })
  database.prepare('VACUUM INTO ?').run(unfinished)
  const file = openSync(unfinished, 'r+')
  fsyncSync(file)
  closeSync(file)
  renameSync(unfinished, `${path}${FORMER_DATABASE_SUFFIX}`)
}
