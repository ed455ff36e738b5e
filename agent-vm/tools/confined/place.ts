/**
 * The folder that a call is confined to, and paths inside it.
 *
 * Links can be put anywhere while we look, so nothing is decided by a path alone: a file that was opened is asked where it
 * really lies (`/proc/self/fd`), and writing happens relative to an opened and checked folder. Without `/proc` the real path
 * is checked just before, which only a race could fool.
 */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path'
import { fileFailure, ToolFailure } from './tool-failure.ts'

export interface Place {
  /** Real path; everything a call touches lies in it. */
  readonly root: string
  /** The place relative to the workspace, with a slash at its end; empty when it is the whole workspace. */
  readonly prefix: string
  /** The path that the model knows the workspace by. */
  readonly workspace: string
}

/** A folder that is open and known to lie inside: names in it cannot be led astray any more. */
export interface OpenFolder {
  readonly handle: FileHandle
  readonly realPath: string
  at(name: string): string
}

/** A named pipe must not make us wait for its other end. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY
const HAS_PROC = process.platform === 'linux'

/** @param folder below the workspace, made if missing; it may not be a link */
export async function openPlace(workspace: string, folder: string): Promise<Place> {
  const workspaceRoot = await realpath(workspace)
  if (folder === '') return { root: workspaceRoot, prefix: '', workspace }
  const root = join(workspaceRoot, folder)
  const opened = await openFolderOf({ root: workspaceRoot, prefix: '', workspace }, join(folder, 'any'))
  await opened.folder.handle.close()
  if (opened.folder.realPath !== root) throw new ToolFailure('The folder of this session is not where it should be.')
  return { root, prefix: `${folder}/`, workspace }
}

/**
 * From what the model wrote to an absolute path, without looking at the disk. Taken are paths relative to the place, absolute
 * ones inside it, and ones that begin with the place's own name in the workspace, as attachments do.
 * @throws {ToolFailure} outside
 */
function resolvePath(place: Place, path: string): string {
  if (path.includes('\0')) throw new ToolFailure('A path cannot hold a NUL character.')
  if (path.startsWith('~')) throw outside(path)
  const cleaned = normalize(path)
  const own = place.prefix !== '' && `${cleaned}/`.startsWith(place.prefix)
  const candidate = own ? cleaned.slice(place.prefix.length) : unprefix(place, cleaned)
  const target = resolve(place.root, candidate)
  if (!isInside(place.root, target)) throw outside(path)
  return target
}

/** A path as the model should write it the next time. */
export function shownPath(place: Place, target: string): string {
  return relative(place.root, target).split(sep).join('/') || '.'
}

/** Opens what is there for reading: a regular file or a folder that really lies inside. @throws {ToolFailure} */
export async function openForReading(place: Place, path: string): Promise<{ handle: FileHandle; realPath: string }> {
  const target = resolvePath(place, path)
  const handle = await open(target, READ).catch((error: unknown) => {
    throw fileFailure(error, path)
  })
  try {
    const realPath = await realPathOf(handle, target)
    if (!isInside(place.root, realPath)) throw outside(path)
    return { handle, realPath }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Opens the folder that a file is to be written in, making what is missing on the way.
 * A link at the end of the path is followed first, so that writing through it changes the file and not the link.
 */
export async function openFolderOf(place: Place, path: string): Promise<{ folder: OpenFolder; name: string }> {
  const target = await followLink(place, path)
  const name = basename(target)
  if (target === place.root || name === '') throw new ToolFailure(`${path} is a folder, not a file.`)
  const segments = relative(place.root, dirname(target)).split(sep).filter(Boolean)
  let folder = await openFolder(place, place.root, path)
  for (const segment of segments) {
    try {
      const next = folder.at(segment)
      await mkdir(next).catch((error: unknown) => {
        if (!isCode(error, 'EEXIST')) throw fileFailure(error, path)
      })
      const opened = await openFolder(place, next, path)
      await folder.handle.close()
      folder = opened
    } catch (error) {
      await folder.handle.close()
      throw error
    }
  }
  return { folder, name }
}

async function openFolder(place: Place, path: string, shown: string): Promise<OpenFolder> {
  const handle = await open(path, FOLDER).catch((error: unknown) => {
    throw fileFailure(error, shown)
  })
  const realPath = await realPathOf(handle, path)
  if (!isInside(place.root, realPath)) {
    await handle.close()
    throw outside(shown)
  }
  return { handle, realPath, at: (name) => join(HAS_PROC ? `/proc/self/fd/${handle.fd}` : realPath, name) }
}

/** Where an existing path really ends; a path that is not there yet stays as it is. */
async function followLink(place: Place, path: string): Promise<string> {
  const target = resolvePath(place, path)
  const real = await realpath(target).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return target
    throw fileFailure(error, path)
  })
  if (!isInside(place.root, real)) throw outside(path)
  return real
}

function unprefix(place: Place, path: string): string {
  if (!isAbsolute(path)) return path
  // The model was told the workspace's path; behind it may be a link.
  if (isInside(place.workspace, path)) {
    const inner = relative(place.workspace, path)
    if (place.prefix === '') return inner
    return `${inner}/`.startsWith(place.prefix) ? inner.slice(place.prefix.length) : path
  }
  return path
}

export function isInside(root: string, path: string): boolean {
  const inner = relative(root, path)
  return inner !== '..' && !inner.startsWith(`..${sep}`) && !isAbsolute(inner)
}

export function outside(path: string): ToolFailure {
  return new ToolFailure(`${path} lies outside your workspace and cannot be used. Paths are relative to the workspace.`)
}

/** Where an open file or folder lies now. */
export async function realPathOf(handle: FileHandle, path: string): Promise<string> {
  return HAS_PROC ? readlink(`/proc/self/fd/${handle.fd}`) : realpath(path)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
