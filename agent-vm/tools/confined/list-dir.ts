/** What lies in a folder: folders first, then files with size and time. */
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Operation } from './operation.ts'
import { openForReading } from './place.ts'
import { fileFailure, ToolFailure } from './tool-failure.ts'

export interface ListDirInput {
  readonly path: string
}

const MAX_ENTRIES = 500

export const listDir: Operation<ListDirInput> = async ({ path }, { place }) => {
  const { handle, realPath } = await openForReading(place, path)
  try {
    if (!(await handle.stat()).isDirectory()) throw new ToolFailure(`${path} is a file. Use read_file.`)
    // Through the opened folder where that is possible: its path may lead elsewhere by now.
    const base = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : realPath
    const names = await readdir(base).catch((error: unknown) => {
      throw fileFailure(error, path)
    })
    names.sort()
    const entries = (await Promise.all(names.slice(0, MAX_ENTRIES).map((name) => describe(base, name)))).sort(
      (one, other) => Number(other.isFolder) - Number(one.isFolder),
    )
    const more = names.length > MAX_ENTRIES ? [`[… ${names.length - MAX_ENTRIES} more entries]`] : []
    return {
      ok: true,
      content: [...entries.map(({ line }) => line), ...more].join('\n') || `[${path} is empty]`,
      summary: `listed ${path} (${names.length} entries)`,
    }
  } finally {
    await handle.close()
  }
}

async function describe(base: string, name: string): Promise<{ line: string; isFolder: boolean }> {
  const path = join(base, name)
  const stat = await lstat(path).catch(() => undefined)
  if (!stat) return { line: `${name} [gone]`, isFolder: false }
  if (stat.isDirectory()) return { line: `${name}/`, isFolder: true }
  if (stat.isSymbolicLink()) {
    return { line: `${name} -> ${await readlink(path).catch(() => '?')}`, isFolder: false }
  }
  const time = stat.mtime.toISOString().slice(0, 16).replace('T', ' ')
  return { line: `${name}  ${describeSize(stat.size)}  ${time} UTC`, isFolder: false }
}

export function describeSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  let value = bytes / 1024
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${units[unit]}`
}
