/**
 * What takes TDLib's place where it cannot run: finds commands, mentions, links and hashtags well enough to talk to a bot,
 * and checks that entities lie inside the text. It cannot read parse modes.
 */
import type { TdEntity, Tdlib } from './tdlib.ts'

const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['textEntityTypeBotCommand', /(?<![\w/])\/[A-Za-z0-9_]{1,64}(@\w{3,32})?(?!\w)/g],
  ['textEntityTypeMention', /(?<!\w)@[A-Za-z]\w{2,31}(?!\w)/g],
  ['textEntityTypeUrl', /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g],
  ['textEntityTypeHashtag', /(?<!\w)#\p{L}[\p{L}\p{N}_]*/gu],
]

export const plainEntities: Tdlib = {
  parseMarkup: () => ({ error: 'Unsupported parse_mode' }),
  fix(text, entities) {
    if (!text.isWellFormed()) return { error: 'Strings must be encoded in UTF-8' }
    for (const { offset, length } of entities) {
      if (offset < 0) return { error: `Receive an entity with incorrect offset ${offset}` }
      if (offset + length > text.length) {
        return {
          error: `Entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`,
        }
      }
    }
    return { text, entities: [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length) }
  },
  detect(text) {
    const taken: TdEntity[] = []
    for (const [type, pattern] of PATTERNS) {
      for (const match of text.matchAll(pattern)) {
        const found = { offset: match.index, length: match[0].length, type: { _: type } }
        if (
          !taken.some(
            (other) => other.offset < found.offset + found.length && found.offset < other.offset + other.length,
          )
        ) {
          taken.push(found)
        }
      }
    }
    return taken.sort((a, b) => a.offset - b.offset)
  },
}
