/** Markdown, as models write it, as Telegram's text and entities. Whatever comes in, what goes out is a message Telegram takes. */
import type { FormattedText } from './formatted-text.ts'
import { type Definitions, findDefinitions, lex } from './lexer.ts'
import { renderBlocks } from './render-blocks.ts'
import { type Section, splitSections } from './sections.ts'
import { TextBuilder } from './text-builder.ts'
import { cleanInput, tidy } from './tidy.ts'

/** @param options.enoughUnits what is beyond will not be shown: no section that begins after so many UTF-16 units is rendered */
export function renderMarkdown(
  markdown: string,
  { enoughUnits = Number.POSITIVE_INFINITY }: { readonly enoughUnits?: number } = {},
): FormattedText {
  const source = cleanInput(markdown)
  const definitions = findDefinitions(source)
  const sections: FormattedText[] = []
  let units = 0
  for (const section of splitSections(source)) {
    if (units > enoughUnits) break
    const rendered = renderSection(section, definitions)
    sections.push(rendered)
    units += rendered.text.length
  }
  return joinSections(sections)
}

export function renderSection({ kind, body, language }: Section, definitions: Definitions): FormattedText {
  const builder = new TextBuilder()
  if (kind === 'fence') {
    builder.pre(body, language)
    return tidy(builder.finish())
  }
  const tokens = lex(body, definitions)
  if (tokens) renderBlocks(tokens, builder)
  else builder.add(body)
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
