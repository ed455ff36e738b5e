/** What model servers demand of a history, as strictly as any of them: used by the fake model and by the fuzz. */
import { z } from 'zod'

const Call = z.object({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.object({ name: z.string().regex(/^[\w-]{1,64}$/), arguments: z.string() }),
})
const Message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: z.string().min(1) }),
  z.object({ role: z.literal('user'), content: z.string().min(1) }),
  z.object({ role: z.literal('assistant'), content: z.string(), tool_calls: z.array(Call).min(1).optional() }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string(), content: z.string().min(1) }),
])

/** @returns what is wrong, or `undefined` for a legal history */
export function findIllegality(raw: readonly unknown[]): string | undefined {
  const parsed = z.array(Message).safeParse(raw)
  if (!parsed.success)
    return `malformed message: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`
  const messages = parsed.data
  if (messages[0]?.role !== 'system') return 'the first message is not the system prompt'
  if (messages[1]?.role !== 'user') return 'the conversation does not begin with a user message'
  const last = messages.at(-1)?.role
  if (last !== 'user' && last !== 'tool') return `the last message is from ${last}`
  return messages.map((_, index) => checkPlace(messages, index)).find(Boolean)
}

function checkPlace(messages: readonly z.infer<typeof Message>[], index: number): string | undefined {
  const message = messages[index]
  const before = messages[index - 1]
  if (!message) return undefined
  if (message.content.toWellFormed() !== message.content) return `message ${index} holds half a character`
  if (message.role === 'system') return index === 0 ? undefined : `system message at ${index}`
  if (message.role === 'user') return before?.role === 'user' ? `two user messages in a row at ${index}` : undefined
  if (message.role === 'tool') return checkResult(messages, index, message.tool_call_id)
  if (before?.role === 'assistant') return `two assistant messages in a row at ${index}`
  return message.tool_calls ? checkCalls(messages, index, message.tool_calls) : checkPlain(message.content, index)
}

function checkPlain(content: string, index: number): string | undefined {
  return content === '' ? `empty assistant message at ${index}` : undefined
}

function checkCalls(
  messages: readonly z.infer<typeof Message>[],
  index: number,
  calls: readonly z.infer<typeof Call>[],
) {
  if (new Set(calls.map(({ id }) => id)).size !== calls.length) return `a call id is used twice at ${index}`
  for (const [offset, call] of calls.entries()) {
    if (!isJsonObject(call.function.arguments)) return `arguments of ${call.id} are not a JSON object`
    const answer = messages[index + 1 + offset]
    if (answer?.role !== 'tool' || answer.tool_call_id !== call.id)
      return `call ${call.id} is not answered in its place`
  }
  return undefined
}

function checkResult(messages: readonly z.infer<typeof Message>[], index: number, id: string): string | undefined {
  const asker = messages.slice(0, index).findLast(({ role }) => role !== 'tool')
  const asked = asker?.role === 'assistant' && asker.tool_calls?.some((call) => call.id === id)
  return asked ? undefined : `result ${id} at ${index} has no call`
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
