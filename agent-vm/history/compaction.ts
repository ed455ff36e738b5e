/**
 * Makes a history that no longer fits small again. A summary by the model is tried first and updated from one time to the
 * next; when that fails there is always a deterministic trim, so that a chat can never get stuck. Rows are flagged, not
 * deleted: they stay searchable. Decides and asks the model; what it returns is applied in one transaction by the caller.
 */
import type { ModelMessage } from '../model/model-message.ts'
import type { NoticeCode } from '../protocol.ts'
import { CONDENSED_NOTICE, TRIMMED_NOTICE } from './compaction-prompts.ts'
import { findCutPoint } from './cut-point.ts'
import type { HistoryRow, HistoryState } from './history.ts'
import { estimateMessageTokens, estimateTokens } from './token-estimate.ts'

/** A request above this share of what fits is compacted before it is sent. */
export const COMPACT_ABOVE = 0.8
/** The kept rows may fill this share of what fits. */
const KEEP_SHARE = 0.3
const AFTER_FAILURE_MS = [60_000, 300_000, 900_000] as const
const MAX_SUMMARY_CHARS = 12_000
/** A row is never shortened below this. */
const MIN_SHORTENED_CHARS = 2000
const DIGEST_MESSAGES = 20
const DIGEST_CHARS = 200
const CURRENT_REQUEST_CHARS = 2000

export interface Compaction {
  /** Rows up to this id leave the request; 0 when none does. */
  readonly upToId: number
  readonly shortened: readonly { readonly id: number; readonly message: ModelMessage }[]
  readonly state: Partial<HistoryState>
  /** One line for the person, and what it is called on the wire. */
  readonly notice: { readonly code: NoticeCode; readonly content: string }
}

export interface CompactionInput {
  readonly rows: readonly HistoryRow[]
  readonly state: HistoryState
  /** Tokens of system prompt and tools. */
  readonly fixedTokens: number
  /** What a request may have. */
  readonly limitTokens: number
  readonly keepMessages: number
  readonly now: number
  /** Summarises rows, updating the summary before. @throws when the model cannot */
  readonly summarize: (previous: string, rows: readonly HistoryRow[]) => Promise<string>
  /** A stop by the person is not a failure of the model: those errors pass through. */
  readonly isStop: (error: unknown) => boolean
}

/** @returns `undefined` when there is nothing that could go */
export async function compact(input: CompactionInput): Promise<Compaction | undefined> {
  const { rows, state } = input
  const keep = { messages: input.keepMessages, tokens: Math.floor(input.limitTokens * KEEP_SHARE) }
  const upToId = findCutPoint(rows, keep) ?? 0
  const left = rows.filter(({ id }) => id <= upToId)
  const kept = rows.filter(({ id }) => id > upToId)
  const { summary, condensed, failures } = await summarizeRows(input, left)
  const current = left.length > 0 && !kept.some(({ message }) => message.role === 'user') ? currentRequest(left) : ''
  const wholeSummary = [summary, current]
    .filter(Boolean)
    .join('\n\n')
    .slice(0, MAX_SUMMARY_CHARS + CURRENT_REQUEST_CHARS)
  const room = input.limitTokens * COMPACT_ABOVE - input.fixedTokens - estimateTokens(wholeSummary)
  const shortened = shortenRows(kept, room)
  if (left.length === 0 && shortened.length === 0) return undefined
  const wait = AFTER_FAILURE_MS[Math.min(failures, AFTER_FAILURE_MS.length) - 1]
  return {
    upToId,
    shortened,
    state: {
      summary: wholeSummary,
      usedTokens: 0,
      usedUpTo: 0,
      failedCompactions: failures,
      compactAfter: wait === undefined ? state.compactAfter : input.now + wait,
      // The next request starts from scratch anyway: take the memory and the day as they are now.
      promptRevision: '',
    },
    notice: condensed ? { code: 'condensed', content: CONDENSED_NOTICE } : { code: 'trimmed', content: TRIMMED_NOTICE },
  }
}

async function summarizeRows(input: CompactionInput, left: readonly HistoryRow[]) {
  const { state, now } = input
  if (left.length === 0) return { summary: state.summary, condensed: true, failures: state.failedCompactions }
  if (now >= state.compactAfter) {
    try {
      const summary = await input.summarize(state.summary, left)
      return { summary: summary.slice(0, MAX_SUMMARY_CHARS), condensed: true, failures: 0 }
    } catch (error) {
      if (input.isStop(error)) throw error
      return { summary: buildDigest(state.summary, left), condensed: false, failures: state.failedCompactions + 1 }
    }
  }
  return { summary: buildDigest(state.summary, left), condensed: false, failures: state.failedCompactions }
}

/** What the person said, clipped: poorer than a summary, but it needs nobody. */
function buildDigest(previous: string, left: readonly HistoryRow[]): string {
  const said = left.filter(({ message }) => message.role === 'user').slice(-DIGEST_MESSAGES)
  const lines = said.map(({ message }) => `- ${clip(message.content.replace(/\s+/g, ' '), DIGEST_CHARS)}`)
  const digest = `Older messages were set aside; search_history finds them. The person had said:\n${lines.join('\n')}`
  return [previous.slice(0, MAX_SUMMARY_CHARS - digest.length), digest]
    .filter(Boolean)
    .join('\n\n')
    .slice(0, MAX_SUMMARY_CHARS)
}

function currentRequest(left: readonly HistoryRow[]): string {
  const request = left.findLast(({ message }) => message.role === 'user')?.message.content ?? ''
  return request && `The request that is being worked on:\n${clip(request, CURRENT_REQUEST_CHARS)}`
}

/** Shortens the largest rows until the rest has room: one pasted book must not make a chat unusable. */
function shortenRows(kept: readonly HistoryRow[], roomTokens: number): { id: number; message: ModelMessage }[] {
  const sizes = kept.map((row) => ({ row, tokens: estimateMessageTokens(row.message) }))
  let excess = sizes.reduce((sum, { tokens }) => sum + tokens, 0) - roomTokens
  const shortened: { id: number; message: ModelMessage }[] = []
  for (const { row, tokens } of sizes.sort((a, b) => b.tokens - a.tokens)) {
    const { content } = row.message
    if (excess <= 0) break
    if (content.length <= MIN_SHORTENED_CHARS) continue
    const share = Math.max(0, 1 - excess / tokens)
    const message = {
      ...row.message,
      content: shorten(content, Math.max(MIN_SHORTENED_CHARS, Math.floor(content.length * share))),
    }
    excess -= tokens - estimateMessageTokens(message)
    shortened.push({ id: row.id, message })
  }
  return shortened
}

function shorten(text: string, chars: number): string {
  const half = Math.floor((chars - 60) / 2)
  return `${text.slice(0, half)}\n[… ${text.length - 2 * half} characters left out …]\n${text.slice(-half)}`.toWellFormed()
}

function clip(text: string, chars: number): string {
  return (text.length <= chars ? text : `${text.slice(0, chars)}…`).toWellFormed()
}
