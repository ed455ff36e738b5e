/**
 * The lines of one answer. While a step takes long its line is repeated, with the time so far: proxies on the way to the
 * caller end a stream that stays silent.
 */
import type { ProgressLine, RunnerLine } from './protocol.ts'

export const REPEAT_MS = 10_000

export interface ProgressStream {
  readonly progress: (line: ProgressLine) => void
  /** The last line; nothing is written after it. */
  close(line: RunnerLine): Promise<void>
}

export function createProgressStream(
  write: (text: string) => Promise<unknown>,
  now: () => number = Date.now,
): ProgressStream {
  let running: { readonly line: ProgressLine; readonly since: number } | undefined
  let written: Promise<unknown> = Promise.resolve()
  const send = (line: RunnerLine) => {
    // In order, and without waiting: a caller that has left is noticed elsewhere.
    written = written.then(() => write(`${JSON.stringify(line)}\n`)).catch(() => undefined)
    return written
  }
  const repeat = setInterval(() => {
    if (running) void send({ ...running.line, ms: now() - running.since })
  }, REPEAT_MS)
  return {
    progress(line) {
      running = line.status === 'start' ? { line, since: now() } : undefined
      void send(line)
    },
    async close(line) {
      clearInterval(repeat)
      await send(line)
    },
  }
}
