/** Puts a text in the place of a file in one move: readers see the old or the new one, never half. */
import { constants } from 'node:fs'
import { lstat, open, rename, unlink } from 'node:fs/promises'
import { openFolderOf, type Place } from './place.ts'
import { randomSuffix } from './random-suffix.ts'
import { fileFailure, ToolFailure } from './tool-failure.ts'
import { fitsVisitorFolder, MAX_VISITOR_BYTES, MAX_VISITOR_ENTRIES } from './visitor-quota.ts'

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const PERMISSION_BITS = 0o777

/** Makes folders as needed and keeps the mode of what it replaces. @throws {ToolFailure} and then nothing has changed */
export async function replaceFile(place: Place, path: string, text: string): Promise<{ created: boolean }> {
  const { folder, name } = await openFolderOf(place, path)
  try {
    const before = await lstat(folder.at(name)).catch(() => undefined)
    if (before && !before.isFile()) throw new ToolFailure(`${path} is not a regular file and cannot be written.`)
    // Only visitors have a folder of their own.
    if (place.prefix !== '') await ensureItFits(place, text, folder.at(name))
    const temporary = folder.at(`.${name.slice(0, 200)}.${randomSuffix()}.tmp`)
    await writeNew(temporary, folder.at(name), text, before && before.mode & PERMISSION_BITS)
    return { created: before === undefined }
  } catch (error) {
    throw fileFailure(error, path)
  } finally {
    await folder.handle.close()
  }
}

async function ensureItFits(place: Place, text: string, target: string): Promise<void> {
  if (await fitsVisitorFolder(place.root, Buffer.byteLength(text), target)) return
  throw new ToolFailure(
    `Your folder is full: ${MAX_VISITOR_BYTES / 1024 / 1024} MB and ${MAX_VISITOR_ENTRIES} files are the most. Nothing was written. Shorten or empty files there first.`,
  )
}

async function writeNew(temporary: string, target: string, text: string, mode: number | undefined): Promise<void> {
  const handle = await open(temporary, NEW_FILE, 0o666)
  try {
    try {
      await handle.writeFile(text, 'utf8')
      if (mode !== undefined) await handle.chmod(mode)
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}
