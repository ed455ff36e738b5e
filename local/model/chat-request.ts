/** What an OpenAI-compatible server is asked for, as strictly as the servers that run the offered models. */
import { z } from 'zod'

const TextPart = z.looseObject({ type: z.literal('text'), text: z.string() })
const Content = z.union([z.string(), z.array(TextPart), z.null()]).optional()

const ToolCall = z.object({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
})

export const RequestMessage = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: Content }),
  z.object({ role: z.literal('user'), content: Content, name: z.string().optional() }),
  z.object({ role: z.literal('assistant'), content: Content, tool_calls: z.array(ToolCall).optional() }),
  z.object({ role: z.literal('tool'), content: Content, tool_call_id: z.string(), name: z.string().optional() }),
])
export type RequestMessage = z.infer<typeof RequestMessage>

export const OfferedTool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string(),
    description: z.string().optional(),
    parameters: z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() }).optional(),
  }),
})
export type OfferedTool = z.infer<typeof OfferedTool>

export const ChatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(RequestMessage).min(1),
  tools: z.array(OfferedTool).optional(),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).optional(),
  max_tokens: z.int().positive().optional(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

export function textOf(message: RequestMessage): string {
  const { content } = message
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('')
}

/** @returns what is wrong with the order of the messages, as a server would say it, or `undefined` */
export function findIllegalOrder(messages: readonly RequestMessage[]): string | undefined {
  let open = new Set<string>()
  for (const [index, message] of messages.entries()) {
    if (message.role === 'system' && index > 0) return 'System message must be at the beginning.'
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) return `Tool message at ${index} answers no preceding tool call.`
      continue
    }
    if (open.size > 0) return `Tool call ${[...open][0]} has no result before message ${index}.`
    if (message.role === 'assistant') {
      if (!message.tool_calls?.length && !textOf(message)) return `Assistant message at ${index} is empty.`
      open = new Set(message.tool_calls?.map(({ id }) => id))
    }
  }
  if (open.size > 0) return 'The last tool calls have no results.'
  return messages.some(({ role }) => role === 'user') ? undefined : 'No user query found in messages.'
}
