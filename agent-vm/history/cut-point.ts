/**
 * Where a history is cut: only between complete groups (a user message; an answer; an answer with calls and all its results),
 * and at the beginning of a person's message where there is one. Pure.
 */
import type { ModelMessage } from '../model/model-message.ts'
import { estimateMessageTokens } from './token-estimate.ts'

export interface CutRow {
  readonly id: number
  readonly message: ModelMessage
}

export interface KeepLimits {
  readonly messages: number
  readonly tokens: number
}

interface Group {
  readonly firstId: number
  readonly role: 'user' | 'assistant'
  readonly rows: number
  readonly tokens: number
}

/** @returns the id of the last row to leave out, or `undefined` when nothing can go. The last group always stays. */
export function findCutPoint(rows: readonly CutRow[], keep: KeepLimits): number | undefined {
  const groups = groupRows(rows)
  let first = groups.length - 1
  let kept = { messages: groups[first]?.rows ?? 0, tokens: groups[first]?.tokens ?? 0 }
  while (first > 0) {
    const before = groups[first - 1]
    if (!before) break
    const next = { messages: kept.messages + before.rows, tokens: kept.tokens + before.tokens }
    if (next.messages > keep.messages || next.tokens > keep.tokens) break
    kept = next
    first--
  }
  if (first <= 0) return undefined
  const question = groups.findIndex((group, index) => index >= first && group.role === 'user')
  const cutBefore = groups[question >= 0 ? question : first]?.firstId
  return rows.findLast(({ id }) => cutBefore !== undefined && id < cutBefore)?.id
}

function groupRows(rows: readonly CutRow[]): Group[] {
  const groups: Group[] = []
  for (const { id, message } of rows) {
    const tokens = estimateMessageTokens(message)
    const last = groups.at(-1)
    if (message.role === 'tool' && last) {
      groups[groups.length - 1] = { ...last, rows: last.rows + 1, tokens: last.tokens + tokens }
    } else {
      groups.push({ firstId: id, role: message.role === 'user' ? 'user' : 'assistant', rows: 1, tokens })
    }
  }
  return groups
}
