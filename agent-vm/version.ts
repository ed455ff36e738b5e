/** Which build runs: the first 12 hex digits of the SHA-256 of the bundle itself, so it cannot disagree with what was sent. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const VERSION_DIGITS = 12

export function versionOf(bundle: Uint8Array): string {
  return createHash('sha256').update(bundle).digest('hex').slice(0, VERSION_DIGITS)
}

/** @param programPath the file that runs; source files have no single hash and are called `source` */
export function readVersion(programPath: string): string {
  return programPath.endsWith('.ts') ? 'source' : versionOf(readFileSync(programPath))
}
