/** Every call of the bot with its time and outcome: what a test asserts about order, pace and penalties. */
export interface ApiCall {
  readonly at: number
  readonly ms: number
  readonly method: string
  readonly chat_id?: number
  /** As given, files as `{name, size}`. */
  readonly params: Readonly<Record<string, unknown>>
  readonly ok: boolean
  /** 0 when the connection was dropped instead of an answer. */
  readonly status: number
  readonly description?: string
  readonly result?: unknown
  /** Made although the chat was still silenced by an earlier 429. */
  readonly in_penalty: boolean
  /** What Telegram would do without a word: drop entities, ignore a field. */
  readonly warnings: readonly string[]
}

const MAX_CALLS = 50_000

export class CallLog {
  #calls: ApiCall[] = []
  readonly #listeners = new Set<(call: ApiCall) => void>()

  add(call: ApiCall): void {
    this.#calls.push(call)
    if (this.#calls.length > MAX_CALLS) this.#calls = this.#calls.slice(-MAX_CALLS / 2)
    for (const listener of [...this.#listeners]) listener(call)
  }

  list(): readonly ApiCall[] {
    return this.#calls
  }

  clear(): void {
    this.#calls = []
  }

  onCall(listener: (call: ApiCall) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
