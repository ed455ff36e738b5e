/** What a server with a prefix cache would not have to read again: the longest beginning shared with an earlier request. */

const KEPT_PER_KEY = 16
const MAX_KEYS = 256

export interface PrefixCache {
  /** @returns shared characters; the prompt is remembered for the next call */
  commonPrefix(key: string, prompt: string): number
}

export function createPrefixCache(): PrefixCache {
  const seen = new Map<string, string[]>()
  return {
    commonPrefix(key, prompt) {
      const prompts = seen.get(key) ?? []
      const longest = Math.max(0, ...prompts.map((earlier) => sharedLength(earlier, prompt)))
      prompts.push(prompt)
      if (prompts.length > KEPT_PER_KEY) prompts.shift()
      seen.delete(key)
      seen.set(key, prompts)
      const oldest = seen.keys().next().value
      if (seen.size > MAX_KEYS && oldest !== undefined) seen.delete(oldest)
      return longest
    },
  }
}

function sharedLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  let index = 0
  while (index < end && a[index] === b[index]) index++
  return index
}
