/**
 * From stored rows to messages that every server accepts, on every request: a user message first, every call answered exactly
 * once and in order, no result without its call, no two user or plain assistant messages in a row, arguments that parse.
 * What a crash, a stop or a cut left behind is completed with a sentence that says so. Pure; a legal history passes unchanged,
 * so the prefix of the next request stays what it was.
 */
import { type ModelMessage, type ModelToolCall, wellFormed } from '../model/model-message.ts'

const MISSING_RESULT = '[no result: the server stopped before this call was finished]'
const MISSING_START = '[earlier messages are not available]'
/** An answer is always asked for by someone. */
const MISSING_QUESTION = '[please go on]'

type ToolMessage = Extract<ModelMessage, { role: 'tool' }>

export function buildLegalMessages(messages: readonly ModelMessage[]): ModelMessage[] {
  const legal: ModelMessage[] = []
  let index = 0
  while (index < messages.length) {
    const message = messages[index]
    index++
    // A result that no open call asked for.
    if (!message || message.role === 'tool') continue
    if (message.role === 'user') {
      addUser(legal, message.content)
      continue
    }
    if (legal.length === 0) addUser(legal, MISSING_START)
    const calls = message.tool_calls ?? []
    addAssistant(legal, message.content, calls)
    if (calls.length === 0) continue
    const results = new Map<string, ToolMessage>()
    for (let next = messages[index]; next?.role === 'tool'; next = messages[++index]) {
      if (!results.has(next.tool_call_id)) results.set(next.tool_call_id, next)
    }
    for (const { id } of uniqueCalls(calls)) {
      legal.push({ role: 'tool', tool_call_id: id, content: wellFormed(results.get(id)?.content ?? MISSING_RESULT) })
    }
  }
  if (legal.at(-1)?.role !== 'user' && legal.at(-1)?.role !== 'tool') addUser(legal, MISSING_QUESTION)
  return legal
}

function addUser(legal: ModelMessage[], content: string): void {
  const text = wellFormed(content)
  const last = legal.at(-1)
  if (last?.role === 'user') legal[legal.length - 1] = { role: 'user', content: `${last.content}\n\n${text}` }
  else legal.push({ role: 'user', content: text || '[empty message]' })
}

function addAssistant(legal: ModelMessage[], content: string, calls: readonly ModelToolCall[]): void {
  const text = wellFormed(content)
  const last = legal.at(-1)
  if (calls.length > 0) {
    const said = last?.role === 'assistant' && !last.tool_calls ? legal.pop() : undefined
    const content = [said?.content, text].filter(Boolean).join('\n\n')
    legal.push({ role: 'assistant', content, tool_calls: uniqueCalls(calls).map(legalCall) })
  } else if (last?.role === 'assistant') {
    legal[legal.length - 1] = { role: 'assistant', content: `${last.content}\n\n${text}` }
  } else {
    legal.push({ role: 'assistant', content: text || '[no answer]' })
  }
}

function uniqueCalls(calls: readonly ModelToolCall[]): ModelToolCall[] {
  return calls.filter(({ id }, index) => calls.findIndex((other) => other.id === id) === index)
}

/** Calls found sound before: each request of a turn holds all that went before it. */
const sound = new WeakSet<ModelToolCall>()

function legalCall(call: ModelToolCall): ModelToolCall {
  if (sound.has(call)) return call
  if (isObjectJson(call.function.arguments)) {
    sound.add(call)
    return call
  }
  return { ...call, function: { ...call.function, arguments: '{}' } }
}

function isObjectJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
