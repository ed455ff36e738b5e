/** Which build runs: the first 12 hex digits of the SHA-256 of the bundle itself, so it cannot disagree with what was sent. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

const VERSION_DIGITS = 12
const PIECE_BYTES = 64 * 1024

export function versionOf(bundle: Uint8Array): string {
  return createHash('sha256').update(bundle).digest('hex').slice(0, VERSION_DIGITS)
}

/** @param programPath the file that runs; source files have no single hash and are called `source` */
export function readVersion(programPath: string): string {
  if (programPath.endsWith('.ts')) return 'source'
  const hash = createHash('sha256')
  // Piece by piece: the memory for all of it would stay with the process.
  const piece = Buffer.alloc(PIECE_BYTES)
  const file = openSync(programPath, 'r')
  for (let bytes = readSync(file, piece); bytes > 0; bytes = readSync(file, piece))
    hash.update(piece.subarray(0, bytes))
  closeSync(file)
  return hash.digest('hex').slice(0, VERSION_DIGITS)
}
