/**
 * Markdown in pieces that can be rendered one by one: code fences, and stretches of text between blank lines. What was said
 * earlier stays as it was rendered while an answer grows, and no input makes the lexer look at more than a few kilobytes.
 *
 * A cut depends only on the lines before it, so a growing text is always cut at the same places.
 */

/** Below this, a blank line is no cut: a list with gaps stays one list. */
const MIN_SECTION_CHARS = 400
/** Above this, any line start is a cut, and above twice as much any place. */
const MAX_SECTION_CHARS = 6_000

const FENCE = /^(`{3,}|~{3,})[ \t]*([^\n]*)$/

export interface Section {
  readonly kind: 'fence' | 'text'
  /** Offsets in the source. */
  readonly start: number
  readonly end: number
  /** Of a fence: the lines inside. */
  readonly body: string
  readonly language: string
}

interface OpenFence {
  readonly start: number
  readonly mark: string
  readonly language: string
  readonly bodyStart: number
}

export function splitSections(source: string): Section[] {
  const sections: Section[] = []
  let start = 0
  let fence: OpenFence | undefined
  let afterBlank = false
  const endText = (end: number) => {
    if (end > start) sections.push(text(source, start, end))
    start = end
  }
  const endFence = ({ start: at, bodyStart, language }: OpenFence, bodyEnd: number, end: number) => {
    sections.push({ kind: 'fence', start: at, end, body: source.slice(bodyStart, bodyEnd), language })
    start = end
  }

  for (let at = 0; at < source.length; ) {
    const newline = source.indexOf('\n', at)
    const lineEnd = newline < 0 ? source.length : newline
    const next = newline < 0 ? source.length : newline + 1
    if (fence) {
      if (closes(source, at, lineEnd, fence.mark)) {
        endFence(fence, Math.max(fence.bodyStart, at - 1), next)
        fence = undefined
        afterBlank = false
      }
      at = next
      continue
    }
    const opening = opensFence(source, at, lineEnd)
    if (opening) {
      endText(at)
      fence = { ...opening, start: at, bodyStart: next }
    } else {
      if (at > start && isCut({ afterBlank, length: at - start, first: source.charCodeAt(at) })) endText(at)
      while (lineEnd - start > 2 * MAX_SECTION_CHARS) endText(hardCut(source, start + MAX_SECTION_CHARS))
      afterBlank = isBlank(source, at, lineEnd)
    }
    at = next
  }
  if (fence) endFence(fence, source.length, source.length)
  else endText(source.length)
  return sections
}

function text(source: string, start: number, end: number): Section {
  return { kind: 'text', start, end, body: source.slice(start, end), language: '' }
}

/** Only at the margin: an indented fence may belong to a list item, and the lexer knows that. */
function opensFence(source: string, at: number, lineEnd: number): { mark: string; language: string } | undefined {
  const first = source[at]
  if ((first !== '`' && first !== '~') || lineEnd - at > 400) return undefined
  const [, mark = '', info = ''] = FENCE.exec(source.slice(at, lineEnd)) ?? []
  // Backticks after the mark make it code within a line.
  if (mark === '' || (first === '`' && info.includes('`'))) return undefined
  return { mark, language: info.trim().split(/\s/)[0] ?? '' }
}

function closes(source: string, at: number, lineEnd: number, mark: string): boolean {
  if (lineEnd - at > 400) return false
  const line = source.slice(at, lineEnd)
  const trimmed = line.trim()
  if (trimmed.length < mark.length || line.search(/\S/) > 3) return false
  const character = mark[0]
  return [...trimmed].every((other) => other === character)
}

const SPACE = 32
const TAB = 9

function isCut({ afterBlank, length, first }: { afterBlank: boolean; length: number; first: number }): boolean {
  if (length > MAX_SECTION_CHARS) return true
  // What is indented after a blank line may go on with a list item.
  return afterBlank && length >= MIN_SECTION_CHARS && first !== SPACE && first !== TAB
}

/** At a space if there is one near, and never inside a surrogate pair. */
function hardCut(source: string, at: number): number {
  const space = source.lastIndexOf(' ', at)
  if (space > at - 200) return space + 1
  return /[\uDC00-\uDFFF]/.test(source[at] ?? '') ? at + 1 : at
}

function isBlank(source: string, at: number, lineEnd: number): boolean {
  for (let index = at; index < lineEnd; index++) {
    const code = source.charCodeAt(index)
    if (code !== SPACE && code !== TAB) return false
  }
  return true
}
