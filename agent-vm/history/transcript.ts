/** A piece of history as text for the one who summarises it: long outputs clipped, and the whole kept within a budget. */
import type { HistoryRow } from './history.ts'

const MAX_TOOL_CHARS = 1500
const MAX_MESSAGE_CHARS = 8000

/** @param maxChars when there is more, the middle rows go first: the beginning says what it is about, the end where it stands */
export function renderTranscript(rows: readonly HistoryRow[], maxChars: number): string {
  const lines = rows.map(renderRow)
  const total = lines.reduce((sum, line) => sum + line.length + 2, 0)
  if (total <= maxChars) return lines.join('\n\n')
  const head = takeWhileFits(lines, maxChars * 0.3)
  const tail = takeWhileFits(lines.slice(head.length).reverse(), maxChars * 0.7).reverse()
  const omitted = lines.length - head.length - tail.length
  return [...head, `[${omitted} messages left out here]`, ...tail].join('\n\n').slice(0, maxChars)
}

function renderRow({ message }: HistoryRow): string {
  if (message.role === 'user') return `Person: ${clip(message.content, MAX_MESSAGE_CHARS)}`
  if (message.role === 'tool') return `Tool result: ${clip(message.content, MAX_TOOL_CHARS)}`
  const calls = (message.tool_calls ?? []).map(
    ({ function: { name, arguments: input } }) => `Assistant calls ${name}: ${clip(input, MAX_TOOL_CHARS)}`,
  )
  return [message.content && `Assistant: ${clip(message.content, MAX_MESSAGE_CHARS)}`, ...calls]
    .filter(Boolean)
    .join('\n')
}

function takeWhileFits(lines: readonly string[], maxChars: number): string[] {
  const taken: string[] = []
  let chars = 0
  for (const line of lines) {
    chars += line.length + 2
    if (chars > maxChars) break
    taken.push(line)
  }
  return taken
}

function clip(text: string, chars: number): string {
  if (text.length <= chars) return text
  return `${text.slice(0, chars * 0.7)} […] ${text.slice(-chars * 0.3)}`
}
