/**
 * Reads the usage out of a stream that passes by, at the cost of counting its events: only the end is kept and parsed, once.
 */
import { z } from 'zod'

/** The chunk with the usage and `[DONE]` are the last few hundred bytes; reasoning models add details. */
const KEPT_BYTES = 8 * 1024
const NEWLINE = 10
/** What a server says when it has said all: without it the connection was lost, however quietly it closed. */
const LAST_WORD = /^data: ?\[DONE\]|"finish_reason": ?"/m

const Usage = z.looseObject({
  prompt_tokens: z.int().nonnegative(),
  completion_tokens: z.int().nonnegative().default(0),
  prompt_tokens_details: z.looseObject({ cached_tokens: z.int().nonnegative().nullish() }).nullish(),
})
const WithUsage = z.looseObject({ usage: Usage })

export interface TokenUsage {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
}

export interface StreamUsage {
  see(chunk: Uint8Array): void
  /** `usage` is absent when the stream was cut before it said so. */
  end(): { readonly usage: TokenUsage | undefined; readonly isWhole: boolean }
  /** Events so far: servers send about one per token. */
  events(): number
}

export function createStreamUsage(): StreamUsage {
  let kept: Uint8Array[] = []
  let keptBytes = 0
  let events = 0
  let atLineStart = true

  return {
    see(chunk) {
      kept.push(chunk)
      keptBytes += chunk.length
      while (kept.length > 1 && keptBytes - (kept[0]?.length ?? 0) >= KEPT_BYTES) {
        keptBytes -= kept.shift()?.length ?? 0
      }
      for (let at = chunk.indexOf(NEWLINE), from = 0; at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        // An empty line ends an event.
        if (at === from && (from > 0 || atLineStart)) events++
        from = at + 1
      }
      if (chunk.length > 0) atLineStart = chunk.at(-1) === NEWLINE
    },
    end() {
      const end = new TextDecoder().decode(concat(kept, keptBytes))
      kept = []
      keptBytes = 0
      for (const line of end.split('\n').toReversed()) {
        const usage = line.startsWith('data:') ? readUsage(line.slice('data:'.length)) : undefined
        if (usage) return { usage, isWhole: true }
      }
      return { usage: undefined, isWhole: LAST_WORD.test(end) }
    },
    events: () => events,
  }
}

/** @param json one chunk or a whole answer */
export function readUsage(json: string): TokenUsage | undefined {
  if (!json.includes('"usage"')) return undefined
  try {
    const { usage } = WithUsage.parse(JSON.parse(json))
    return {
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: usage.completion_tokens,
    }
  } catch {
    // Half an event, or `"usage":null`: not the one that is looked for.
    return undefined
  }
}

function concat(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
