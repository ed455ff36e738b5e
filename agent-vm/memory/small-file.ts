/**
 * Reads a small file of the workspace in the server itself. The tools can put a link, a pipe or a device under any name, and
 * the server may read more than they may: so only a regular file that really lies in the workspace, under one name, is read.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

const OPEN_FILE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** @returns at most `maxBytes` of the text; `undefined` when there is no such file or it is not to be trusted */
export async function readSmallFile(
  workspacePath: string,
  path: string,
  maxBytes: number,
): Promise<string | undefined> {
  let handle: FileHandle | undefined
  try {
    const root = await realpath(workspacePath)
    handle = await open(join(root, path), OPEN_FILE)
    const real =
      process.platform === 'linux' ? await readlink(`/proc/self/fd/${handle.fd}`) : await realpath(join(root, path))
    const stat = await handle.stat()
    // A second name could be a hard link to a file of the server's own.
    if (!real.startsWith(root + sep) || !stat.isFile() || stat.nlink !== 1) return undefined
    const buffer = Buffer.alloc(Math.min(maxBytes, stat.size))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return new TextDecoder().decode(buffer.subarray(0, bytesRead), { stream: true })
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
