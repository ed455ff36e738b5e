/**
 * Grows a text and its entities together, so that offsets are right by construction. Knows Telegram's rules: code holds no
 * other formatting and stands in none but quotes, quotes and links do not nest, the same formatting is not put on twice.
 */
import type { MessageEntity } from 'grammy/types'
import type { FormattedText } from './formatted-text.ts'
import { expandTabs } from './tabs.ts'

export type Style = 'bold' | 'italic' | 'underline' | 'strikethrough' | 'blockquote'

type Wrapping = { readonly type: Style } | { readonly type: 'text_link'; readonly url: string }
type Open = { readonly wrapping: Wrapping; start: number | undefined }

export class TextBuilder {
  readonly #parts: string[] = []
  readonly #entities: MessageEntity[] = []
  readonly #open: Open[] = []
  #length = 0
  #indent = ''
  /** Newlines owed before the next words; never at the start. */
  #owed = 0
  #atLineStart = true

  get length(): number {
    return this.#length
  }

  /** What comes next stands on a new line, after `newlines - 1` empty ones. */
  separate(newlines: 1 | 2): void {
    if (this.#length > 0) this.#owed = Math.max(this.#owed, newlines)
  }

  add(given: string): void {
    if (given === '') return
    const text = given.replaceAll('\t', ' ')
    this.#settle()
    const indented = this.#indent === '' ? text : text.replaceAll('\n', `\n${this.#indent}`)
    for (const open of this.#open) open.start ??= this.#length
    this.#append(indented)
  }

  code(given: string): void {
    const text = given.replaceAll('\t', ' ').trim()
    if (text === '' || this.#isOpen('text_link')) {
      this.add(given)
      return
    }
    this.#settle()
    this.#interrupt()
    this.#literal({ type: 'code', offset: this.#length, length: text.length }, text)
  }

  pre(given: string, language: string): void {
    const text = expandTabs(given.replace(/^(?:[ \t]*\n)+/, '').trimEnd())
    if (text.trim() === '') return
    this.#owe()
    this.#interrupt()
    const entity = { type: 'pre', offset: this.#length, length: text.length } as const
    this.#literal(/^[\w+#.-]{1,32}$/.test(language) ? { ...entity, language } : entity, text)
  }

  styled(type: Style, content: () => void): void {
    this.#wrap({ type }, content)
  }

  linked(url: string, content: () => void): void {
    this.#wrap({ type: 'text_link', url }, content)
  }

  /** Every line begun inside stands this much further right. */
  indented(by: string, content: () => void): void {
    const before = this.#indent
    this.#indent += by
    content()
    this.#indent = before
  }

  finish(): FormattedText {
    // Inner formatting ends first: reversed, what stands around it comes first where both have the same range.
    return { text: this.#parts.join(''), entities: this.#entities.toReversed() }
  }

  #wrap(wrapping: Wrapping, content: () => void): void {
    if (this.#isOpen(wrapping.type)) {
      content()
      return
    }
    const open: Open = { wrapping, start: undefined }
    this.#open.push(open)
    content()
    this.#open.pop()
    this.#close(open)
  }

  #isOpen(type: Wrapping['type']): boolean {
    return this.#open.some(({ wrapping }) => wrapping.type === type)
  }

  #close({ wrapping, start }: Open): void {
    if (start !== undefined && this.#length > start) {
      this.#entities.push({ ...wrapping, offset: start, length: this.#length - start })
    }
  }

  /** Ends the formatting that may not hold code; it begins anew with the next words. */
  #interrupt(): void {
    for (const open of this.#open) {
      if (open.wrapping.type === 'blockquote') {
        open.start ??= this.#length
      } else {
        this.#close(open)
        open.start = undefined
      }
    }
  }

  #literal(entity: MessageEntity, text: string): void {
    this.#entities.push(entity)
    this.#append(text)
  }

  #owe(): void {
    if (this.#owed > 0) this.#append('\n'.repeat(this.#owed))
    this.#owed = 0
  }

  #settle(): void {
    this.#owe()
    if (this.#atLineStart && this.#indent !== '') this.#append(this.#indent)
  }

  #append(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
    this.#atLineStart = text.endsWith('\n')
  }
}
