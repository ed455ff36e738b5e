/** What the agent remembers, as it goes into the system prompt once per epoch. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFile } from './small-file.ts'

export const MEMORY_FILE = 'memory/MEMORY.md'
/** Read on every request of the epoch: what is longer belongs into other files that are read when needed. */
export const MAX_MEMORY_CHARS = 12_000
const MAX_NOTE_CHARS = 4000
const NOTES_SHOWN = 2
const MAX_BYTES = 64 * 1024
const DAILY_NOTE = /^\d{4}-\d{2}-\d{2}\.md$/

/** @returns the long-term memory and the newest daily notes; empty when there is nothing */
export async function readMemorySnapshot(workspacePath: string): Promise<string> {
  const names = await readdir(join(workspacePath, 'memory')).catch((): string[] => [])
  const notes = names
    .filter((name) => DAILY_NOTE.test(name))
    .sort()
    .slice(-NOTES_SHOWN)
  const parts = [
    await readPart(workspacePath, MEMORY_FILE, MAX_MEMORY_CHARS),
    ...(await Promise.all(notes.map((name) => readPart(workspacePath, `memory/${name}`, MAX_NOTE_CHARS)))),
  ]
  return parts.filter(Boolean).join('\n\n')
}

async function readPart(workspacePath: string, path: string, maxChars: number): Promise<string> {
  const text = withoutComments((await readSmallFile(workspacePath, path, MAX_BYTES)) ?? '').trim()
  if (!hasContent(text)) return ''
  if (text.length <= maxChars) return `## ${path}\n${text}`
  // Notes grow at their end, and the newest lines count; a memory begins with what matters most.
  const shown = path === MEMORY_FILE ? text.slice(0, maxChars) : text.slice(-maxChars)
  return `## ${path}\n${shown.toWellFormed()}\n[shortened: the file has ${text.length} characters; read it with read_file, and tidy it up]`
}

function withoutComments(text: string): string {
  return text.replace(/<!--[\s\S]*?(?:-->|$)/g, '')
}

/** Headings alone remember nothing. */
function hasContent(text: string): boolean {
  return text.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#'))
}
