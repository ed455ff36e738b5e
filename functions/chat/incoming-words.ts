/**
 * What a person wrote, as the agent reads it: where a link hides behind words, or words stand in code, Markdown says so. What
 * only looks different (bold, quotes) is left out.
 */
import type { Message, MessageEntity } from 'grammy/types'
import { richWords } from './rich/rich-words.ts'

/** @returns `undefined` for a message without words of its own */
export function wordsOf(message: Message): string | undefined {
  if (message.text !== undefined) return withMarks(message.text, message.entities)
  if (message.caption !== undefined) return withMarks(message.caption, message.caption_entities)
  if (message.rich_message !== undefined) return richWords(message.rich_message)
  return undefined
}

export function withMarks(text: string, entities: readonly MessageEntity[] = []): string {
  let marked = ''
  let from = 0
  // Those that are marked do not overlap, except by mistake: then the first counts.
  for (const entity of entities.toSorted((a, b) => a.offset - b.offset)) {
    const end = entity.offset + entity.length
    const mark =
      entity.offset >= from && end <= text.length ? markOf(entity, text.slice(entity.offset, end)) : undefined
    if (mark === undefined) continue
    marked += text.slice(from, entity.offset) + mark
    from = end
  }
  return marked + text.slice(from)
}

function markOf(entity: MessageEntity, words: string): string | undefined {
  switch (entity.type) {
    case 'text_link':
      return words.trim() === entity.url ? words : `[${words}](${entity.url})`
    case 'code':
      return words.includes('`') ? undefined : `\`${words}\``
    case 'pre': {
      if (words.includes('```')) return undefined
      return `\`\`\`${entity.language ?? ''}\n${words.replace(/\n$/, '')}\n\`\`\``
    }
    default:
      return undefined
  }
}
