/**
 * The workspace's files for the routes: confined, streamed, replaced in one move.
 *
 * The tools' user can put any link anywhere in the workspace while we look. So nothing is decided by a path alone: what was
 * opened is asked where it really lies (`/proc/self/fd`), and writing walks from folder to opened folder without following
 * links. Where there is no `/proc` the real path is checked just before, which only a race could fool.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  access,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  unlink,
} from 'node:fs/promises'
import { dirname, join, posix, relative, sep } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FileEntry } from './protocol.ts'
import { fitsVisitorFolder } from './tools/confined/visitor-quota.ts'

/** Far above what Telegram carries; a full disk is worse than a refused file. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024
const MAX_LISTED = 1000
/** Deeper than anybody works; every level costs a folder. */
const MAX_DEPTH = 64
const SENSITIVE =
  /^(?:\.env(?:\.(?!example$).*)?|\.ssh|\.gnupg|\.aws|\.netrc|\.pgpass|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)(?:\.pub)?|.*\.(?:pem|key|p12|pfx|kdbx))$/i
const OPENED_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** A named pipe must not make the server wait for someone to write into it. */
const OPENED_FILE = constants.O_RDONLY | constants.O_NONBLOCK
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

export type RefusalCode =
  | 'forbidden'
  | 'not_found'
  | 'not_a_file'
  | 'too_large'
  | 'disk_full'
  | 'folder_full'
  | 'read_only'

export class FileRefused extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

export interface OpenedFile {
  readonly bytes: number
  readonly modifiedAt: Date
  /** Ends after `bytes`; closes the file in any case. */
  stream(): Readable
  close(): Promise<void>
}

export interface WorkspaceFiles {
  /** @throws {FileRefused} */
  read(path: string): Promise<OpenedFile>
  /** Makes folders as needed; the file appears complete or not at all. @throws {FileRefused} */
  write(path: string, body: Readable): Promise<void>
  /** @throws {FileRefused} */
  list(folder: string): Promise<FileEntry[]>
  /** Replaces `to`. @throws {FileRefused} */
  move(from: string, to: string): Promise<void>
  /** Whether a file may be moved there, as far as one can tell beforehand. @throws {FileRefused} */
  checkReplaceable(path: string): Promise<void>
  /** A folder and all in it; not there is fine. */
  removeFolder(path: string): Promise<void>
}

export function createWorkspaceFiles(workspacePath: string): WorkspaceFiles {
  const root = () => realpath(workspacePath)
  return {
    read: async (path) => readFileAt(await root(), parsePath(path)),
    write: async (path, body) => {
      const { folder, name } = split(parsePath(path))
      const base = await root()
      const [first, visitor] = folder
      // What a visitor uploads counts as what their tools write: the disk is the owner's.
      const own = first === 'visitors' && visitor !== undefined ? join(base, first, visitor) : undefined
      await inFolder(base, folder, true, (at) => writeFileAt(at, name, { body, own }))
    },
    list: async (folder) => inFolder(await root(), parsePath(folder), false, (at) => listFolder(at)),
    move: async (from, to) => {
      const base = await root()
      const source = split(parsePath(from))
      const target = split(parsePath(to))
      await inFolder(base, source.folder, false, (fromAt) =>
        inFolder(base, target.folder, true, (toAt) => guard(() => rename(fromAt(source.name), toAt(target.name)))),
      )
    },
    checkReplaceable: async (path) => {
      const { folder, name } = split(parsePath(path))
      try {
        await inFolder(await root(), folder, false, (at) => refuseFolder(at(name)))
      } catch (error) {
        if (!(error instanceof FileRefused && error.code === 'not_found')) throw error
      }
    },
    removeFolder: async (path) => {
      const { folder, name } = split(parsePath(path))
      await inFolder(await root(), folder, false, (at) => rm(at(name), { recursive: true, force: true }))
    },
  }
}

/** @returns clean relative segments. @throws {FileRefused} for what leads out or is sensitive */
export function parsePath(path: string): string[] {
  if (path.includes('\0') || posix.isAbsolute(path)) throw new FileRefused('forbidden')
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.length > MAX_DEPTH) throw new FileRefused('forbidden')
  if (segments.some((segment) => segment === '..' || isSensitive(segment))) throw new FileRefused('forbidden')
  return segments
}

function isSensitive(segment: string): boolean {
  return SENSITIVE.test(segment)
}

function split(segments: readonly string[]): { folder: string[]; name: string } {
  const name = segments.at(-1)
  if (name === undefined) throw new FileRefused('not_a_file')
  return { folder: segments.slice(0, -1), name }
}

async function readFileAt(root: string, segments: readonly string[]): Promise<OpenedFile> {
  const path = join(root, ...segments)
  const handle = await guard(() => open(path, OPENED_FILE))
  try {
    const inside = relative(root, await realPathOf(handle, path))
    if (inside === '..' || inside.startsWith(`..${sep}`) || inside.split(sep).some(isSensitive))
      throw new FileRefused('forbidden')
    const stat = await handle.stat()
    if (!stat.isFile()) throw new FileRefused('not_a_file')
    return {
      bytes: stat.size,
      modifiedAt: stat.mtime,
      stream: () => streamOf(handle, stat.size),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function streamOf(handle: FileHandle, bytes: number): Readable {
  if (bytes > 0) return handle.createReadStream({ start: 0, end: bytes - 1 })
  const empty = Readable.from([])
  empty.once('close', () => void handle.close())
  return empty
}

async function realPathOf(handle: FileHandle, path: string): Promise<string> {
  return hasProc() ? readlink(`/proc/self/fd/${handle.fd}`) : realpath(path)
}

/** The path of a name inside an opened folder. */
type At = (name: string) => string

async function inFolder<T>(
  root: string,
  segments: readonly string[],
  make: boolean,
  work: (at: At) => Promise<T>,
): Promise<T> {
  let path = root
  let handle = await guard(() => open(root, constants.O_RDONLY | constants.O_DIRECTORY))
  try {
    for (const segment of segments) {
      const next = at(handle, path)(segment)
      if (make) await guard(() => mkdir(next).catch(ignoreExisting))
      const opened = await guard(() => open(next, OPENED_FOLDER))
      await handle.close()
      handle = opened
      path = join(path, segment)
    }
    return await work(at(handle, path))
  } finally {
    await handle.close()
  }
}

function at(handle: FileHandle, path: string): At {
  return (name) => (hasProc() ? `/proc/self/fd/${handle.fd}/${name}` : join(path, name))
}

async function refuseFolder(path: string): Promise<void> {
  const stat = await guard(() => lstat(path))
  if (stat.isDirectory()) throw new FileRefused('not_a_file')
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}

async function writeFileAt(
  at: At,
  name: string,
  { body, own }: { body: Readable; own: string | undefined },
): Promise<void> {
  const temporary = at(`.${randomBytes(6).toString('hex')}.part`)
  // The umask decides: on a machine the group shares the workspace, elsewhere only this user does.
  const handle = await guard(() => open(temporary, NEW_FILE, 0o666))
  try {
    await guard(() => pipeline(body, limitBytes(MAX_FILE_BYTES), handle.createWriteStream()))
    // Its bytes are in the folder already.
    if (own !== undefined && !(await fitsVisitorFolder(own, 0, at(name)))) throw new FileRefused('folder_full')
    await guard(() => rename(temporary, at(name)))
  } catch (error) {
    await handle.close().catch(() => undefined)
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

function limitBytes(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new FileRefused('too_large'))
      else done(null, chunk)
    },
  })
}

async function listFolder(at: At): Promise<FileEntry[]> {
  const names = (await guard(() => readdir(at('.')))).filter((name) => !isSensitive(name)).sort()
  const entries: FileEntry[] = []
  for (const name of names.slice(0, MAX_LISTED)) {
    const stat = await lstat(at(name)).catch(() => undefined)
    if (!stat || !(stat.isFile() || stat.isDirectory())) continue
    const kind = stat.isFile() ? 'file' : 'dir'
    entries.push({ name, kind, bytes: stat.isFile() ? stat.size : 0, modified_at: stat.mtime.toISOString() })
  }
  return entries
}

/** System errors as refusals; what has no name here is a defect and passes through. */
async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FileRefused) throw error
    const code = REFUSALS[codeOf(error) ?? '']
    if (code) throw new FileRefused(code, { cause: error })
    throw error
  }
}

const REFUSALS: Readonly<Record<string, RefusalCode>> = {
  ENOENT: 'not_found',
  // A link where a folder should be: `O_NOFOLLOW`.
  ELOOP: 'forbidden',
  ENOTDIR: 'forbidden',
  ENAMETOOLONG: 'forbidden',
  EISDIR: 'not_a_file',
  ENXIO: 'not_a_file',
  ENOTEMPTY: 'not_a_file',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EROFS: 'read_only',
  EACCES: 'read_only',
  EPERM: 'read_only',
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function hasProc(): boolean {
  return process.platform === 'linux'
}

/** Makes the workspace if it is not there. @returns whether it can be written */
export async function ensureWorkspace(workspacePath: string): Promise<boolean> {
  await mkdir(workspacePath, { recursive: true }).catch(() => undefined)
  return access(workspacePath, constants.W_OK).then(
    () => true,
    () => false,
  )
}

/** Beside the workspace, never inside. */
export function defaultDatabasePath(workspacePath: string): string {
  return join(dirname(workspacePath), `.${workspacePath.split(sep).at(-1)}-data`, 'agent.db')
}
