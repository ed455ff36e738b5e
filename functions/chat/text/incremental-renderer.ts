/** Renders an answer while it grows: only its end is looked at again. Always equal to rendering the whole. */
import type { FormattedText } from './formatted-text.ts'
import { type Definitions, findDefinitions } from './lexer.ts'
import { joinSections, renderSection } from './render-markdown.ts'
import { splitSections } from './sections.ts'
import { cleanInput } from './tidy.ts'

export interface IncrementalRenderer {
  append(delta: string): void
  current(): FormattedText
}

export function createIncrementalRenderer(): IncrementalRenderer {
  let source = ''
  /** Rendered for good, up to `settled`. */
  let done: FormattedText[] = []
  let settled = 0
  let definitions: Definitions = {}
  let known = '{}'

  /** A definition at the end may change a link at the start: rare, and then everything is rendered anew. */
  const learn = (whole: string) => {
    definitions = findDefinitions(whole)
    const now = JSON.stringify(definitions)
    if (now === known) return
    known = now
    done = []
    settled = 0
  }

  return {
    append(delta) {
      source += delta
    },
    current() {
      const whole = cleanInput(source)
      learn(whole)
      const from = settled
      const sections = splitSections(whole.slice(from))
      // The last line may still become something else: what begins before its start is settled.
      const lastLine = whole.lastIndexOf('\n') + 1 - from
      const tail: FormattedText[] = []
      for (const section of sections) {
        const rendered = renderSection(section, definitions)
        if (section.end < lastLine && tail.length === 0) {
          done.push(rendered)
          settled = from + section.end
        } else {
          tail.push(rendered)
        }
      }
      return joinSections([...done, ...tail])
    },
  }
}
