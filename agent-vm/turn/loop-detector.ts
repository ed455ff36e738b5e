/**
 * Notices a model that goes round in circles: the same call with the same result, or two such calls in turns. Warned on the
 * third time, blocked from then on. A writing call that was not seen before may have changed what the others return, so it
 * starts the count anew.
 */
import { createHash } from 'node:crypto'
import type { ToolCall, ToolResult } from '../tools/tool-runner.ts'

const WINDOW = 20
const REPEATS = 3
/** So many blocked calls end the turn with a summary. */
const MAX_BLOCKED_CALLS = 3

const WARNING =
  '[system note: this is the third time that this call gave this result. Do something else, or tell the person what is missing.]'
const BLOCKED =
  'Blocked: this call was made several times with the same result and will not change. Use what you know, try another way, or tell the person what is missing.'

interface Seen {
  readonly call: string
  readonly result: string
}

export class LoopDetector {
  #seen: Seen[] = []
  #blocked = 0

  get gaveUp(): boolean {
    return this.#blocked >= MAX_BLOCKED_CALLS
  }

  /** @returns why the call must not run, for the model */
  before(call: ToolCall): string | undefined {
    const key = keyOf(call)
    if (!this.#repeats(key) && !this.#alternates(key)) return undefined
    this.#blocked++
    return BLOCKED
  }

  /** @returns a warning to add to the result */
  after(call: ToolCall, result: ToolResult, readsOnly: boolean): string | undefined {
    const key = keyOf(call)
    if (!readsOnly && !this.#seen.some((seen) => seen.call === key)) this.#seen = []
    this.#seen = [...this.#seen, { call: key, result: hash(result.content) }].slice(-WINDOW)
    return this.#repeats(key) || this.#alternates(this.#seen.at(-2)?.call) ? WARNING : undefined
  }

  #repeats(key: string): boolean {
    const last = this.#seen.filter(({ call }) => call === key).slice(-REPEATS)
    return last.length === REPEATS && last.every(({ result }) => result === last[0]?.result)
  }

  /** A, B, A, B, A, B with equal results, and A would be next. */
  #alternates(next: string | undefined): boolean {
    const last = this.#seen.slice(-2 * REPEATS)
    if (last.length < 2 * REPEATS || last[0]?.call !== next || last[0]?.call === last[1]?.call) return false
    return last.every(({ call, result }, index) => call === last[index % 2]?.call && result === last[index % 2]?.result)
  }
}

function keyOf(call: ToolCall): string {
  return hash(`${call.name} ${stableJson(call.input)}`)
}

/** The same object in another key order is the same call. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('base64url')
}
