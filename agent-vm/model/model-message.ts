/** Messages as they are stored and sent: the wire format of chat completions, so that nothing changes between the two. */
import { z } from 'zod'

export const ModelToolCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  /** `arguments` is always the JSON text of an object: chat templates parse it again when the history is replayed. */
  function: z.object({ name: z.string(), arguments: z.string() }),
})
export type ModelToolCall = z.infer<typeof ModelToolCall>

export const ModelMessage = z.discriminatedUnion('role', [
  z.object({ role: z.literal('user'), content: z.string() }),
  z.object({ role: z.literal('assistant'), content: z.string(), tool_calls: z.array(ModelToolCall).exactOptional() }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string(), content: z.string() }),
])
export type ModelMessage = z.infer<typeof ModelMessage>

export type RequestMessage = ModelMessage | { role: 'system'; content: string }

/** Without lone surrogates and NUL: servers refuse a whole request for one of them. */
export function wellFormed(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}
