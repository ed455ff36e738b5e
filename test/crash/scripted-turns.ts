/**
 * What the agent does in the crash matrix: every turn is one of a few kinds, chosen by its number, and says things that can be
 * found again: each answer begins and ends with a mark of its own.
 */
import type { FakeBrain, FakeTurn } from '../../functions/chat/testing/agent-server.fake.ts'

export const KINDS = ['short', 'streamed', 'tools', 'file', 'long', 'tools and file'] as const
export type TurnKind = (typeof KINDS)[number]

/** A question holds its own mark, so that an answer can be told from every other. */
export function question(talk: number, number: number): string {
  return `ask ${markOf(talk, number)}`
}

export function markOf(talk: number, number: number): string {
  return `q${talk}n${number}z`
}

export function kindOf(number: number): TurnKind {
  return KINDS[number % KINDS.length] ?? 'short'
}

/** Of the last part of an answer, whatever its kind. */
export function endMark(mark: string): string {
  return `end-${mark}`
}

const LONG_PARAGRAPHS = 260

export const scriptedBrain: FakeBrain = async (turn) => {
  const mark = /q\d+n\d+z/.exec(turn.request.message)?.[0] ?? 'unmarked'
  const kind = kindOf(Number(/n(\d+)z/.exec(mark)?.[1] ?? 0))
  const end = endMark(mark)
  switch (kind) {
    case 'short':
      return turn.say(`${mark}: yes. ${end}`)
    case 'streamed':
      return turn.say(`${mark}: ${'Words that come one after the other. '.repeat(8)}${end}`, { everyMs: 30 })
    case 'tools':
      return useTools(turn, mark, end)
    case 'file':
      turn.emit({ type: 'file', path: 'report.txt', caption: `file-${mark}` })
      return turn.say(`${mark}: there is your file. ${end}`, { everyMs: 40 })
    case 'long':
      return turn.say(`${longText(mark)}\n\n${end}`, { words: 200, everyMs: 20 })
    case 'tools and file':
      await useTools(turn, mark, 'Now the file.')
      turn.emit({ type: 'file', path: 'report.txt', caption: `file-${mark}` })
      return turn.say(`Done. ${end}`, { everyMs: 40 })
  }
}

async function useTools(turn: FakeTurn, mark: string, end: string): Promise<void> {
  await turn.say(`${mark}: let me look at that for you first.`, { everyMs: 20 })
  await turn.useTool('bash', { command: 'ls -la' }, { takesMs: 300 })
  await turn.say('And once more.', { everyMs: 20 })
  await turn.useTool('read_file', { path: 'report.txt' }, { takesMs: 300 })
  await turn.say(end, { everyMs: 20 })
}

function longText(mark: string): string {
  return Array.from(
    { length: LONG_PARAGRAPHS },
    (_, n) => `Paragraph ${n} of ${mark}: ${'word '.repeat(12).trim()}.`,
  ).join('\n\n')
}
