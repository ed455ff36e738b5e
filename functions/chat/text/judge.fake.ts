/**
 * Would Telegram take what we made? Two judges look at each part: our own rules, and Telegram's parser (TDLib, offline), which
 * must neither refuse the part nor change its text or its formatting.
 */
import type { MessageEntity } from 'grammy/types'
import { fromTdEntities, toTdEntities } from '../../../local/telegram/text/entities.ts'
import { loadTdlib } from '../../../local/telegram/text/tdlib.ts'
import type { FormattedText } from './formatted-text.ts'

export interface Judge {
  /** False where there is no TDLib for this platform: then only our own rules are looked at. */
  readonly hasTelegram: boolean
  /** Different texts looked at so far: the same part of a growing answer counts once. */
  readonly judged: number
  /** What was found wrong, with where it came from. */
  readonly faults: readonly string[]
  judge(part: FormattedText, origin: string): void
}

export function createJudge(): Judge {
  const tdlib = loadTdlib()
  const hasTelegram = !('unavailable' in tdlib)
  const seen = new Set<string>()
  const faults: string[] = []
  return {
    hasTelegram,
    faults,
    get judged() {
      return seen.size
    },
    judge(part, origin) {
      const key = part.text + JSON.stringify(part.entities)
      if (seen.has(key)) return
      seen.add(key)
      const mistake = findMistake(part)
      if (mistake) faults.push(`${origin}: ${mistake}`)
      if ('unavailable' in tdlib) return
      const fixed = tdlib.fix(part.text, toTdEntities(part.entities))
      if ('error' in fixed) faults.push(`${origin}: refused: ${fixed.error}`)
      else if (fixed.text !== part.text) faults.push(`${origin}: another text`)
      else if (coverage(fromTdEntities(fixed.entities)) !== coverage(part.entities)) faults.push(`${origin}: moved`)
    },
  }
}

/** Independent of TDLib: what our own rules promise of each part. */
function findMistake({ text, entities }: FormattedText): string | undefined {
  if (text.length === 0 || text.length > 4096) return `a text of ${text.length} units`
  if (text !== text.trim() && !entities.some((e) => e.offset === 0 && /pre|code/.test(e.type))) return 'blank ends'
  if (!text.isWellFormed()) return 'half a character'
  if (entities.length > 100) return `${entities.length} entities`
  for (const [index, { offset, length, type }] of entities.entries()) {
    const end = offset + length
    if (offset < 0 || length <= 0 || end > text.length) return `${type} outside`
    if (isLow(text.charCodeAt(offset)) || isLow(text.charCodeAt(end))) return `${type} in a pair`
    for (let next = index + 1; next < entities.length; next++) {
      const other = entities[next]
      // In order of their start: what begins behind the end is nobody's neighbour any more.
      if (!other || other.offset >= end) break
      if (other.offset < offset) return `${other.type} out of order`
      if (other.offset + other.length > end) return `${type} and ${other.type} overlap`
      if (type === 'pre' || type === 'code') return `${other.type} in ${type}`
      if (type === other.type) return `${type} in itself`
      if ((other.type === 'pre' || other.type === 'code') && type !== 'blockquote') return `${other.type} in ${type}`
    }
  }
  return undefined
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/** Which formatting each character has; how it is divided into entities is a matter of taste. */
function coverage(entities: readonly MessageEntity[]): string {
  const ranges = new Map<string, [number, number][]>()
  for (const entity of entities.toSorted((a, b) => a.offset - b.offset)) {
    const kind = `${entity.type} ${'url' in entity ? entity.url : ''} ${'language' in entity ? entity.language : ''}`
    const known = ranges.get(kind) ?? []
    ranges.set(kind, known)
    const last = known.at(-1)
    const end = entity.offset + entity.length
    if (last && last[1] >= entity.offset) last[1] = Math.max(last[1], end)
    else known.push([entity.offset, end])
  }
  return JSON.stringify([...ranges].sort(([a], [b]) => (a < b ? -1 : 1)))
}
