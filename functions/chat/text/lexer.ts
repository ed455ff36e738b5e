/** marked's lexer with bounds: it never takes long, never overflows the stack, and knows the definitions of the whole text. */
import { Lexer, type Token, Tokenizer } from 'marked'

/** Deeper quotes and lists than a person makes; each level is a recursion of the lexer. */
const MAX_NESTING = 12
/** Characters that the search for the end of an emphasis may look at in one section: it begins anew at every star. */
const EMPHASIS_BUDGET_CHARS = 150_000

export interface Definition {
  readonly href: string
  readonly title: string
}
export type Definitions = Readonly<Record<string, Definition>>

class BoundedTokenizer extends Tokenizer {
  #budget = EMPHASIS_BUDGET_CHARS

  override emStrong(src: string, maskedSrc: string, prevChar?: string) {
    if ((src[0] !== '*' && src[0] !== '_') || this.#budget <= 0) return undefined
    this.#budget -= src.length
    return super.emStrong(src, maskedSrc, prevChar)
  }

  override del(src: string, maskedSrc: string, prevChar?: string) {
    if (src[0] !== '~' || this.#budget <= 0) return undefined
    this.#budget -= src.length
    return super.del(src, maskedSrc, prevChar)
  }

  /** Telegram finds mail addresses by itself, and the search for them is quadratic. */
  override url(src: string) {
    return /^(?:https?:\/\/|www\.)/i.test(src.slice(0, 8)) ? super.url(src) : undefined
  }
}

/** @returns `undefined` when the source cannot be understood within the bounds: it is to be shown as it is */
export function lex(source: string, definitions: Definitions): Token[] | undefined {
  try {
    const lexer = new Lexer({ gfm: true, tokenizer: new BoundedTokenizer() })
    Object.assign(lexer.tokens.links, definitions)
    return lexer.lex(capNesting(source))
  } catch {
    // The lexer throws for what it cannot get on with, and the stack ends on nesting of kinds not foreseen here.
    return undefined
  }
}

const DEFINITION = /^ {0,3}\[(?!\^)([^\]\\\n]{1,200})\]:[ \t]*\n?[ \t]*<?([^\s<>]{1,2048})>?/gm

/** Link definitions stand anywhere in a text, mostly at its end. The first of a name counts. */
export function findDefinitions(source: string): Definitions {
  const found: Record<string, Definition> = {}
  if (!source.includes(']:')) return found
  for (const [, label = '', href = ''] of source.matchAll(DEFINITION)) {
    const name = label.toLowerCase().replace(/\s+/g, ' ').trim()
    if (name !== '' && !Object.hasOwn(found, name)) found[name] = { href, title: '' }
  }
  return found
}

/** Marks of quotes and lists at the start of a line, beyond the deepest level that is shown. */
function capNesting(source: string): string {
  if (!/^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){12}/m.test(source) && !/^[ \t]{40}/m.test(source)) return source
  return source
    .split('\n')
    .map((line) => {
      const marks = /^(?:[ \t]*(?:>|[-*+](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))+/.exec(line)?.[0] ?? ''
      const each = marks.match(/[ \t]*(?:>|[-*+]|\d{1,9}[.)])/g) ?? []
      const rest = line.slice(marks.length)
      const capped = each.length > MAX_NESTING ? each.slice(0, MAX_NESTING).join('') + rest : line
      return capped.replace(/^[ \t]{40,}/, (blank) => blank.slice(0, 40))
    })
    .join('\n')
}
