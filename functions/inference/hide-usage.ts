/** Takes the usage chunk, which the gateway asks for, out of the stream of a client that did not ask. */
import { z } from 'zod'

const UsageChunk = z.looseObject({ choices: z.array(z.unknown()).length(0), usage: z.looseObject({}) })
const AFTER_EVENT = /(?<=\n\r?\n)/

export interface UsageFilter {
  /** @returns what may be passed on now: whole events only */
  pass(chunk: Uint8Array): Uint8Array
  rest(): Uint8Array
}

export function createUsageFilter(): UsageFilter {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let open = ''

  return {
    pass(chunk) {
      const events = (open + decoder.decode(chunk, { stream: true })).split(AFTER_EVENT)
      const last = events.at(-1) ?? ''
      open = /\n\r?\n$/.test(last) ? '' : (events.pop() ?? '')
      return encoder.encode(events.filter((event) => !isUsage(event)).join(''))
    },
    rest() {
      const last = open + decoder.decode()
      return encoder.encode(isUsage(last) ? '' : last)
    },
  }
}

function isUsage(event: string): boolean {
  if (!event.includes('"usage"')) return false
  try {
    return UsageChunk.safeParse(JSON.parse(event.trim().replace(/^data:\s*/, ''))).success
  } catch {
    return false
  }
}
