/** Texts to be judged: every beginning of real ones, as while an answer is written, and pieces of them thrown together. */
import { createRandom, readCorpus, readReadmes } from './corpus.fake.ts'
import type { FormattedText } from './formatted-text.ts'
import { createIncrementalRenderer } from './incremental-renderer.ts'
import type { Judge } from './judge.fake.ts'
import { renderMarkdown } from './render-markdown.ts'
import { splitMessage } from './split-message.ts'

const PIECES = [
  '**',
  '*',
  '_',
  '`',
  '```',
  '\n',
  '\n\n',
  '> ',
  '- ',
  '1. ',
  '[',
  '](',
  ')',
  '| ',
  '|--|',
  '#',
  '~~',
  '😀',
  '\ud83d',
  '\u202e',
  '&amp;',
  '<b>',
  '\t',
  '    ',
  '](https://example.org)',
  '\u0000',
  '[^1]',
  '![',
  '\\',
]

export interface FuzzSize {
  /** Characters of each real README that are tried one by one. */
  readonly readmeChars: number
  readonly splices: number
  readonly seed: number
}

/** @param onText called with each text before it is split: where else it would go */
export function fuzz(judge: Judge, { readmeChars, splices, seed }: FuzzSize, onText?: OnText): void {
  const readmes = readReadmes()
  for (const { name, source } of readCorpus()) everyBeginning(judge, name, source, onText)
  for (const { name, source } of readmes) everyBeginning(judge, name, source.slice(0, readmeChars), onText)
  const random = createRandom(seed)
  const sources = [...readCorpus(), ...readmes].map(({ source }) => source)
  for (let round = 0; round < splices; round++) {
    let text = ''
    for (let piece = 0; piece < 6; piece++) {
      const source = sources[random(sources.length)] ?? ''
      const start = random(source.length)
      text += source.slice(start, start + random(160)) + (PIECES[random(PIECES.length)] ?? '')
    }
    judgeWhole(judge, renderMarkdown(text), `splice ${round} of seed ${seed}`, onText)
  }
}

export type OnText = (formatted: FormattedText, origin: string) => void

function everyBeginning(judge: Judge, name: string, source: string, onText: OnText | undefined): void {
  const renderer = createIncrementalRenderer()
  for (let end = 1; end <= source.length; end++) {
    renderer.append(source.slice(end - 1, end))
    judgeWhole(judge, renderer.current(), `${name}:${end}`, onText)
  }
}

function judgeWhole(judge: Judge, formatted: FormattedText, origin: string, onText: OnText | undefined): void {
  for (const part of splitMessage(formatted)) judge.judge(part, origin)
  onText?.(formatted, origin)
}
