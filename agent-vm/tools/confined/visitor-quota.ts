/** How much a visitor may keep: the disk is the owner's, and it must not be filled by whoever holds a link. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export const MAX_VISITOR_BYTES = 100 * 1024 * 1024
/** Empty files cost room too. Folders count. */
export const MAX_VISITOR_ENTRIES = 2_000

/**
 * Whether a file of so many bytes still fits into a visitor's folder. Two that are written at the same moment may both fit: what
 * one call writes is bounded, so is what is too much.
 * @param root of the folder; it may be missing
 * @param replaced the file that goes for it
 */
export async function fitsVisitorFolder(root: string, bytes: number, replaced?: string): Promise<boolean> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const before = replaced === undefined ? 0 : await sizeOf(replaced)
  const isNew = before === undefined
  if (entries.length + (isNew || replaced === undefined ? 1 : 0) > MAX_VISITOR_ENTRIES) return false
  let used = bytes - (before ?? 0)
  for (const entry of entries) if (entry.isFile()) used += (await sizeOf(join(entry.parentPath, entry.name))) ?? 0
  return used <= MAX_VISITOR_BYTES
}

/** Links are not followed: what they lead to is no part of the folder. */
async function sizeOf(path: string): Promise<number | undefined> {
  return lstat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}
