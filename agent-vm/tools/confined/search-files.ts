/** Lines of files that match a pattern, or files by name. Bounded in time, files, and what is shown. */
import { constants, type Dirent } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join, matchesGlob } from 'node:path'
import type { Operation } from './operation.ts'
import { isInside, openForReading, type Place, realPathOf, shownPath } from './place.ts'
import { isBinary } from './text-file.ts'
import { ToolFailure } from './tool-failure.ts'

export interface SearchFilesInput {
  readonly pattern?: string | undefined
  readonly path: string
  readonly glob?: string | undefined
  readonly ignore_case: boolean
}

const MAX_MATCHES = 200
const MAX_FILES = 20_000
const MAX_FILE_BYTES = 5 * 1024 * 1024
const MAX_MS = 15_000
const MAX_LINE_CHARS = 300
/** A pattern sees so much of a line: long lines are data, and make patterns slow. */
const MAX_MATCHED_CHARS = 5000
const SKIPPED = new Set(['.git', 'node_modules', '__pycache__', '.venv', 'venv', '.cache', '.tool-output'])
const OPEN_FILE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

interface Search {
  readonly place: Place
  readonly input: SearchFilesInput
  readonly pattern: RegExp | undefined
  readonly signal: AbortSignal
  readonly until: number
  readonly found: string[]
  files: number
  cut: string | undefined
}

export const searchFiles: Operation<SearchFilesInput> = async (input, { place, signal }) => {
  if (input.pattern === undefined && input.glob === undefined) throw new ToolFailure('Give a pattern, a glob, or both.')
  const pattern = input.pattern === undefined ? undefined : parsePattern(input.pattern, input.ignore_case)
  const until = performance.now() + MAX_MS
  const search: Search = { place, input, pattern, signal, until, found: [], files: 0, cut: undefined }
  const { handle, realPath } = await openForReading(place, input.path)
  const isFolder = await handle.stat().then((stat) => stat.isDirectory())
  await handle.close()
  if (isFolder) await searchFolder(search, realPath)
  else await searchFile(search, realPath)
  const { found, files, cut } = search
  const what = input.pattern === undefined ? (input.glob ?? '') : input.pattern
  const end = cut === undefined ? [] : [`[${cut}]`]
  return {
    ok: true,
    content: [...found, ...end].join('\n') || `[nothing found in ${files} files]`,
    summary: `searched for ${what.slice(0, 60)} (${found.length}${cut ? '+' : ''} found)`.toWellFormed(),
  }
}

function parsePattern(pattern: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? 'i' : '')
  } catch (error) {
    throw new ToolFailure(`The pattern is no valid JavaScript regular expression: ${String(error)}`, { cause: error })
  }
}

async function searchFolder(search: Search, folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
  entries.sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    if (isOver(search)) return
    const path = join(folder, entry.name)
    // Links are not followed: not out of the workspace, and not in circles.
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) await searchFolder(search, path)
    } else if (entry.isFile() && fitsGlob(search, path)) await searchFile(search, path)
  }
}

function isOver(search: Search): boolean {
  search.signal.throwIfAborted()
  if (search.cut === undefined) search.cut = whyOver(search)
  return search.cut !== undefined
}

function whyOver({ found, files, until }: Search): string | undefined {
  if (found.length >= MAX_MATCHES) return `more than ${MAX_MATCHES} found: narrow it down with path, glob or pattern`
  if (files >= MAX_FILES) return `stopped after ${MAX_FILES} files: narrow it down with path or glob`
  if (performance.now() > until) return `stopped after ${MAX_MS / 1000} s: narrow it down with path or glob`
  return undefined
}

function fitsGlob({ place, input }: Search, path: string): boolean {
  if (input.glob === undefined) return true
  const shown = shownPath(place, path)
  // As people mean it: `*.md` is a name anywhere, `notes/*.md` a path.
  return matchesGlob(shown, input.glob.includes('/') ? input.glob : `**/${input.glob}`)
}

async function searchFile(search: Search, path: string): Promise<void> {
  search.files++
  const shown = shownPath(search.place, path)
  if (search.pattern === undefined) {
    search.found.push(shown)
    return
  }
  const text = await readText(search.place, path)
  if (text === undefined) return
  for (const [index, line] of text.split('\n').entries()) {
    if (!search.pattern.test(line.slice(0, MAX_MATCHED_CHARS))) continue
    search.found.push(`${shown}:${index + 1}: ${line.trim().slice(0, MAX_LINE_CHARS)}`.toWellFormed())
    if (isOver(search)) return
  }
}

/** @returns `undefined` for what is no readable text */
async function readText(place: Place, path: string): Promise<string | undefined> {
  const handle = await open(path, OPEN_FILE).catch(() => undefined)
  if (!handle) return undefined
  try {
    const stat = await handle.stat()
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) return undefined
    if (!isInside(place.root, await realPathOf(handle, path))) return undefined
    const bytes = await handle.readFile()
    return isBinary(bytes.subarray(0, 4096)) ? undefined : bytes.toString('utf8')
  } catch {
    return undefined
  } finally {
    await handle.close()
  }
}
