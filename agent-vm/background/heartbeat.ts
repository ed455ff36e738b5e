/**
 * The agent's pulse: from time to time it looks whether there is something to do. Looking is free; the model is asked only when
 * `HEARTBEAT.md` holds a task, and less often while the file stays the same and there was nothing to say.
 */
import { createHash } from 'node:crypto'
import { readSmallFile } from '../memory/small-file.ts'

const HEARTBEAT_FILE = 'HEARTBEAT.md'
const MAX_BYTES = 16 * 1024
/** With nothing to say again and again, the distance grows up to so many intervals. */
const MAX_STRETCH = 4

/** What is kept between beats, also over restarts. */
export interface Pulse {
  /** When the file was last looked at or acted on. */
  readonly atMs: number
  /** Of the file at the last call to the model. */
  readonly hash: string
  /** Calls in a row that had nothing to say, with the file unchanged. */
  readonly quiet: number
}

export type Beat =
  /** The interval is not over. */
  | { readonly kind: 'early' }
  /** Looked, and there is nothing to ask the model for. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'act'; readonly prompt: string; readonly hash: string; readonly quiet: number }

export async function readHeartbeatFile(workspacePath: string): Promise<string> {
  return (await readSmallFile(workspacePath, HEARTBEAT_FILE, MAX_BYTES)) ?? ''
}

/** @param text of `HEARTBEAT.md` */
export function planBeat(text: string, pulse: Pulse, intervalMs: number, nowMs: number): Beat {
  const since = nowMs - pulse.atMs
  if (since < intervalMs) return { kind: 'early' }
  const tasks = findTasks(text)
  if (tasks === '') return { kind: 'nothing' }
  const hash = createHash('sha256').update(tasks).digest('hex')
  const quiet = hash === pulse.hash ? pulse.quiet : 0
  const stretch = Math.min(2 ** quiet, MAX_STRETCH)
  if (since < intervalMs * stretch) return { kind: 'early' }
  return { kind: 'act', prompt: renderPrompt(tasks), hash, quiet }
}

/** The file without what asks for nothing: headings, comments, rules, ticked and empty boxes, empty list items. */
export function findTasks(text: string): string {
  const lines = text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
    .split('\n')
    .filter((line) => !/^\s*(?:[-*+]|\d+[.)])\s+\[[xX]\]/.test(line))
  const asks = (line: string) =>
    !/^\s*(?:#+(?:\s.*)?|(?:[-*+]|\d+[.)])?\s*(?:\[\s*\])?\s*|(?:[-*_]\s*){3,})$/.test(line)
  return lines.some(asks) ? lines.join('\n').trim() : ''
}

function renderPrompt(tasks: string): string {
  return `Your heartbeat. This stands in ${HEARTBEAT_FILE}:\n\n${tasks}\n\nDo what is due now, and only that. Tick off or remove in ${HEARTBEAT_FILE} what is done for good. Write a message only if the person should hear something new now; otherwise answer exactly HEARTBEAT_OK.`
}
