/** Markdown, as models write it, as Telegram's text and entities. Whatever comes in, what goes out is a message Telegram takes. */
import type { FormattedText } from './formatted-text.ts'
import { type Definitions, findDefinitions, lex } from './lexer.ts'
import { renderBlocks } from './render-blocks.ts'
import { type Section, splitSections } from './sections.ts'
import { TextBuilder } from './text-builder.ts'
import { cleanInput, tidy } from './tidy.ts'

export function renderMarkdown(markdown: string): FormattedText {
  const source = cleanInput(markdown)
  const definitions = findDefinitions(source)
  return joinSections(splitSections(source).map((section) => renderSection(section, definitions)))
}

export function renderSection({ kind, body, language }: Section, definitions: Definitions): FormattedText {
  const builder = new TextBuilder()
  if (kind === 'fence') {
    builder.pre(body, language)
    return tidy(builder.finish())
  }
  const tokens = lex(body, definitions)
  if (!tokens) return tidy({ text: body, entities: [] })
  renderBlocks(tokens, builder)
  return tidy(builder.finish())
}

export function joinSections(sections: readonly FormattedText[]): FormattedText {
  const said = sections.filter(({ text }) => text !== '')
  const entities: FormattedText['entities'][number][] = []
  let offset = 0
  for (const section of said) {
    for (const entity of section.entities) entities.push({ ...entity, offset: entity.offset + offset })
    offset += section.text.length + 2
  }
  return { text: said.map(({ text }) => text).join('\n\n'), entities }
}
