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

type UserMessage = Extract<ModelMessage, { role: 'user' }>
type AssistantMessage = Extract<ModelMessage, { role: 'assistant' }>
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
      addUser(legal, message)
      continue
    }
    if (legal.length === 0) addUser(legal, { role: 'user', content: MISSING_START })
    addAssistant(legal, message)
    const calls = message.tool_calls ?? []
    if (calls.length === 0) continue
    const results = new Map<string, ToolMessage>()
    for (let next = messages[index]; next?.role === 'tool'; next = messages[++index]) {
      if (!results.has(next.tool_call_id)) results.set(next.tool_call_id, next)
    }
    for (const { id } of uniqueCalls(calls)) legal.push(legalResult(id, results.get(id)))
  }
  if (legal.at(-1)?.role !== 'user' && legal.at(-1)?.role !== 'tool') {
    addUser(legal, { role: 'user', content: MISSING_QUESTION })
  }
  return legal
}

function addUser(legal: ModelMessage[], message: UserMessage): void {
  const last = legal.at(-1)
  if (last?.role !== 'user') {
    legal.push(isSound(message) ? message : { role: 'user', content: wellFormed(message.content) || '[empty message]' })
    return
  }
  legal[legal.length - 1] = { role: 'user', content: `${last.content}\n\n${wellFormed(message.content)}` }
}

function addAssistant(legal: ModelMessage[], message: AssistantMessage): void {
  const last = legal.at(-1)
  const calls = message.tool_calls ?? []
  if (last?.role !== 'assistant' && isSound(message)) {
    legal.push(message)
    return
  }
  const text = wellFormed(message.content)
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

function legalResult(id: string, result: ToolMessage | undefined): ModelMessage {
  if (result && isSound(result)) return result
  return { role: 'tool', tool_call_id: id, content: wellFormed(result?.content ?? MISSING_RESULT) }
}

/** Messages found to need no change of their own before: each request holds all that went before it. */
const sound = new WeakSet<ModelMessage>()

function isSound(message: ModelMessage): boolean {
  if (sound.has(message)) return true
  if (!isLegal(message)) return false
  sound.add(message)
  return true
}

function isLegal(message: ModelMessage): boolean {
  if (wellFormed(message.content) !== message.content) return false
  if (message.role === 'tool') return true
  if (message.role === 'user' || !message.tool_calls) return message.content !== ''
  const calls = message.tool_calls
  return calls.length > 0 && uniqueCalls(calls).length === calls.length && calls.every(isLegalCall)
}

function uniqueCalls(calls: readonly ModelToolCall[]): ModelToolCall[] {
  return calls.filter(({ id }, index) => calls.findIndex((other) => other.id === id) === index)
}

function legalCall(call: ModelToolCall): ModelToolCall {
  return isLegalCall(call) ? call : { ...call, function: { ...call.function, arguments: '{}' } }
}

function isLegalCall(call: ModelToolCall): boolean {
  return isObjectJson(call.function.arguments)
}

function isObjectJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
