/**
 * Separates what a person should see from what leaked into the text of an answer, while it streams: thinking, tool calls
 * written out as XML, control tokens. Nothing that might begin such a thing is released until it is clear that it does not.
 * Code blocks pass untouched: there the same words are meant as text.
 */
const TOKEN =
  /```|<think>|<\/think>|<tool_call>|<function=[\w.-]+>|<\|(?:im_end|im_start|endoftext|eot_id|user|assistant|observation|system)\|>/g
/** The end of a piece that may be the beginning of a token, or half a character. */
const PARTIAL_TOKEN = /<(?:[/|]?[a-z_|]{0,14}|function=[\w.-]{0,64})$|`{1,2}$|[\ud800-\udbff]$/

export class VisibleText {
  #shown = ''
  #buffer = ''
  #reasoning = ''
  #held = ''
  #mode: 'text' | 'think' | 'held' = 'text'
  #inFence = false
  #voided = false
  readonly #keepsLeadingSpace: boolean

  constructor(keepsLeadingSpace = false) {
    this.#keepsLeadingSpace = keepsLeadingSpace
  }

  /** @returns text that may be shown now; `voids`: everything shown before was thinking and must be taken back */
  push(text: string): { visible: string; voids: boolean } {
    this.#buffer += text
    let visible = ''
    let voids = false
    for (let released = this.#step(false); released !== undefined; released = this.#step(false)) {
      visible = this.#voided ? '' : visible + released
      voids ||= this.#voided
      this.#voided = false
    }
    return { visible, voids }
  }

  /** Ends the stream. `held` begins with what looks like a tool call; whether it is one, the caller decides. */
  end(): { rest: string; held: string; reasoning: string } {
    let rest = ''
    for (let released = this.#step(true); released !== undefined; released = this.#step(true)) rest += released
    return { rest, held: this.#held, reasoning: this.#reasoning }
  }

  #step(atEnd: boolean): string | undefined {
    if (this.#buffer === '') return undefined
    if (this.#mode === 'held') {
      this.#held += this.#take(this.#buffer.length)
      return ''
    }
    return this.#mode === 'think' ? this.#stepThinking(atEnd) : this.#stepText(atEnd)
  }

  #stepThinking(atEnd: boolean): string | undefined {
    const close = this.#buffer.indexOf('</think>')
    if (close < 0) {
      const keep = atEnd ? 0 : '</think>'.length - 1
      if (this.#buffer.length <= keep) return undefined
      this.#reasoning += this.#take(this.#buffer.length - keep)
      return atEnd ? '' : undefined
    }
    this.#reasoning += this.#take(close)
    this.#take('</think>'.length)
    this.#mode = 'text'
    return ''
  }

  #stepText(atEnd: boolean): string | undefined {
    TOKEN.lastIndex = 0
    for (let found = TOKEN.exec(this.#buffer); found; found = TOKEN.exec(this.#buffer)) {
      const action = this.#meaning(found[0], found.index)
      if (action === 'text') continue
      const before = this.#release(found.index)
      if (action === 'held') {
        this.#mode = 'held'
        return before
      }
      const token = found[0]
      if (action === 'fence') return before + this.#release(token.length)
      this.#take(token.length)
      if (action === 'think') this.#mode = 'think'
      if (action === 'void') return this.#void()
      return before
    }
    const partial = atEnd ? undefined : PARTIAL_TOKEN.exec(this.#buffer)?.index
    const length = partial ?? this.#buffer.length
    return length > 0 ? this.#release(length) : undefined
  }

  #meaning(token: string, index: number): 'text' | 'fence' | 'think' | 'void' | 'held' | 'drop' {
    const before = this.#shown.slice(-200) + this.#buffer.slice(Math.max(0, index - 200), index)
    const atLineStart = /(?:^|\n)[ \t]*$/.test(before)
    if (token === '```') {
      if (!atLineStart) return 'text'
      this.#inFence = !this.#inFence
      return 'fence'
    }
    if (this.#inFence || before.endsWith('`')) return 'text'
    if (token === '<think>') return atLineStart ? 'think' : 'text'
    if (token === '</think>') return atLineStart ? 'void' : 'text'
    if (token === '<tool_call>') return 'held'
    if (token.startsWith('<function=')) return atLineStart ? 'held' : 'text'
    return 'drop'
  }

  #void(): string {
    this.#reasoning += this.#shown
    this.#shown = ''
    this.#voided = true
    return ''
  }

  #release(length: number): string {
    const text = this.#take(length)
    // An answer does not begin with the blank lines that follow thinking.
    const visible = this.#shown === '' && !this.#keepsLeadingSpace ? text.trimStart() : text
    this.#shown += visible
    return visible
  }

  #take(length: number): string {
    const text = this.#buffer.slice(0, length)
    this.#buffer = this.#buffer.slice(length)
    return text
  }
}
