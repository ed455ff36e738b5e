/** Replaces an exact passage of a file; when it is not there, the model is shown what comes near. */
import type { Operation } from './operation.ts'
import { replaceFile } from './replace-file.ts'
import { MAX_EDIT_BYTES, readWholeText } from './text-file.ts'
import { ToolFailure } from './tool-failure.ts'

export interface EditFileInput {
  readonly path: string
  readonly old_text: string
  readonly new_text: string
  readonly replace_all: boolean
}

const CONTEXT_LINES = 3
const MAX_SHOWN_PLACES = 5
const MAX_COMPARED_LINES = 20_000

export const editFile: Operation<EditFileInput> = async (input, { place }) => {
  const { path, old_text: wanted, new_text: replacement, replace_all: all } = input
  if (wanted === replacement) throw new ToolFailure('old_text and new_text are the same: nothing to do.')
  const text = await readWholeText(place, path)
  // The model sees `\n` only; a file with Windows line ends keeps them.
  const isCrlf = !text.includes(wanted) && text.includes('\r\n')
  const old = isCrlf ? wanted.replace(/\r?\n/g, '\r\n') : wanted
  const fresh = isCrlf ? replacement.replace(/\r?\n/g, '\r\n') : replacement
  const places = findAll(text, old)
  if (places.length === 0) throw new ToolFailure(explainMissing(path, text, wanted))
  if (places.length > 1 && !all) throw new ToolFailure(explainAmbiguous(path, text, places))
  refuseTooLong(path, text.length + places.length * (fresh.length - old.length))
  const edited = text.split(old).join(fresh)
  await replaceFile(place, path, edited)
  const first = lineOf(text, places[0] ?? 0)
  const count = places.length > 1 ? `${places.length} places` : `line ${first}`
  return {
    ok: true,
    content: `edited ${path} (${count})\n${showLines(edited.split('\n'), first, countNewlines(fresh) + 1)}`,
    summary: `edited ${path} (${count})`,
  }
}

/** Told beforehand: a thousand times a long text would take the process down, and with it what others run in it. */
function refuseTooLong(path: string, chars: number): void {
  if (chars <= MAX_EDIT_BYTES) return
  throw new ToolFailure(
    `${path} would have ${chars} characters; edit_file makes at most ${MAX_EDIT_BYTES}. Nothing was changed. Use bash.`,
  )
}

function findAll(text: string, wanted: string): number[] {
  const places: number[] = []
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) places.push(at)
  return places
}

function explainAmbiguous(path: string, text: string, places: readonly number[]): string {
  const lines = places.slice(0, MAX_SHOWN_PLACES).map((at) => lineOf(text, at))
  const more = places.length > MAX_SHOWN_PLACES ? ', …' : ''
  return `old_text occurs ${places.length} times in ${path} (lines ${lines.join(', ')}${more}). Nothing was changed. Give more of the surrounding lines so that it is unique, or set replace_all.`
}

function explainMissing(path: string, text: string, wanted: string): string {
  const lines = text.split(/\r?\n/)
  const head = `old_text does not occur in ${path}. Nothing was changed. It must match exactly, without line numbers.`
  const sought = wanted.split(/\r?\n/)
  const near = findNear(lines, sought)
  if (near === undefined) return `${head} Nothing in the file comes near: read it again.`
  const { line, sameButSpaces } = near
  const why = sameButSpaces ? 'Only the white space differs here' : 'The nearest place'
  return `${head} ${why} (line ${line}):\n${showLines(lines, line, sought.length)}`
}

/** Where the sought lines fit best: first with any white space, then by words in common. */
function findNear(
  lines: readonly string[],
  sought: readonly string[],
): { line: number; sameButSpaces: boolean } | undefined {
  const squeeze = (line: string) => line.replace(/\s+/g, '').replace(/^\d+\t/, '')
  const compared = lines.slice(0, MAX_COMPARED_LINES).map(squeeze)
  const wanted = sought.map((line) => squeeze(line.replace(/^\s*\d+\t/, ''))).filter((line) => line !== '')
  const first = wanted[0]
  if (first === undefined) return undefined
  const exact = compared.findIndex((_, at) => wanted.every((line, offset) => compared[at + offset] === line))
  if (exact !== -1) return { line: exact + 1, sameButSpaces: true }
  const words = new Set(sought.join(' ').match(/\w{2,}/g) ?? [])
  let best = { line: 0, score: 0 }
  for (const [at, line] of lines.slice(0, MAX_COMPARED_LINES).entries()) {
    const own = line.match(/\w{2,}/g) ?? []
    const common = own.filter((word) => words.has(word)).length
    const score = common / Math.max(own.length, 3)
    if (common > 0 && score > best.score) best = { line: at + 1, score }
  }
  return best.score >= 0.5 ? { line: best.line, sameButSpaces: false } : undefined
}

function showLines(lines: readonly string[], line: number, count: number): string {
  const from = Math.max(1, line - CONTEXT_LINES)
  const to = Math.min(lines.length, line + Math.min(count, 30) - 1 + CONTEXT_LINES)
  return lines
    .slice(from - 1, to)
    .map((text, index) => `${String(from + index).padStart(5)}\t${text.slice(0, 500)}`)
    .join('\n')
}

function lineOf(text: string, at: number): number {
  return countNewlines(text.slice(0, at)) + 1
}

function countNewlines(text: string): number {
  return text.split('\n').length - 1
}
