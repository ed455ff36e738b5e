/**
 * `npm run bench:text`: what it costs to turn an answer of 32 KB into messages, whole and while it grows, beside what marked's
 * lexer alone takes for the same text in the same run.
 */
import { Lexer } from 'marked'
import { readCorpus } from '../../functions/chat/text/corpus.fake.ts'
import { createIncrementalRenderer } from '../../functions/chat/text/incremental-renderer.ts'
import { lex } from '../../functions/chat/text/lexer.ts'
import { renderMarkdown } from '../../functions/chat/text/render-markdown.ts'
import { splitSections } from '../../functions/chat/text/sections.ts'
import { splitMessage } from '../../functions/chat/text/split-message.ts'
import { cleanInput } from '../../functions/chat/text/tidy.ts'

const CHARS = 32_768
/** Of a model that streams quickly: a token is about four characters, and a frame is rendered every 200 ms. */
const FRAME_CHARS = 80
const ROUNDS = 21

const answers = readCorpus().filter(({ name }) => name !== 'odd.md')
const whole = answers.map(({ source }) => source).join('\n\n')
const source = whole.repeat(Math.ceil(CHARS / whole.length)).slice(0, CHARS)
const rendered = renderMarkdown(source)

const reference = median(() => new Lexer({ gfm: true }).lex(source))
const rows = [
  ['marked.lexer alone', reference],
  ['rendered and split', median(() => splitMessage(renderMarkdown(source)))],
  ['  of it: cutting into sections', median(() => splitSections(cleanInput(source)))],
  ['  of it: lexing the sections', median(() => lexSections())],
  ['  of it: splitting into messages', median(() => splitMessage(rendered))],
  ['one frame while it grows (mean)', frame()],
] as const
console.table(
  rows.map(([what, ms]) => ({ what, ms: ms.toFixed(2), 'of the lexer': `${((ms / reference) * 100).toFixed(0)} %` })),
)

function lexSections(): void {
  for (const section of splitSections(source)) if (section.kind === 'text') lex(section.body, {})
}

function frame(): number {
  const frames = Math.ceil(source.length / FRAME_CHARS)
  const total = median(() => {
    const renderer = createIncrementalRenderer()
    for (let at = 0; at < source.length; at += FRAME_CHARS) {
      renderer.append(source.slice(at, at + FRAME_CHARS))
      renderer.current()
    }
  }, 5)
  return total / frames
}

function median(work: () => unknown, rounds = ROUNDS): number {
  for (let warm = 0; warm < 5; warm++) work()
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN
}
