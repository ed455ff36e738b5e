/**
 * One answer of the model, read from its stream: visible text as it comes, then the finished answer with calls that are
 * either ready to run or carry the reason why not. What is peculiar to qwen3-coder and GLM ends here.
 */
import { randomBytes } from 'node:crypto'
import type { ToolDefinition } from '../tools/tool-runner.ts'
import { wellFormed } from './model-message.ts'
import type { ModelPart, RawToolCall, Usage } from './model-port.ts'
import { parseLeakedCalls } from './quirks/leaked-calls.ts'
import { describeSchema, parseArguments } from './quirks/tool-arguments.ts'
import { VisibleText } from './quirks/visible-text.ts'

export interface AnswerCall {
  /** Unique within the turn's answer. */
  readonly id: string
  readonly name: string
  readonly input: Record<string, unknown>
  /** Present: not to be run; the model reads this instead of a result. */
  readonly problem?: string
  /** Added to the result, for the model. */
  readonly note?: string
}

export interface Answer {
  readonly content: string
  readonly calls: readonly AnswerCall[]
  /** The model meant to call a tool in its text, but not so that it could be run: what to tell it. */
  readonly brokenCall?: string
  readonly cutOff: boolean
  readonly usage?: Usage
}

export type AnswerPart =
  | { readonly kind: 'delta'; readonly text: string }
  /** What was shown of this answer is void. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'answer'; readonly answer: Answer }

type End = Extract<ModelPart, { kind: 'end' }>

/** @param continues the answer goes on where another was cut: white space at its beginning belongs to it */
export async function* readAnswer(
  parts: AsyncIterable<ModelPart>,
  tools: readonly ToolDefinition[],
  continues = false,
): AsyncGenerator<AnswerPart> {
  const text = new VisibleText(continues)
  let content = ''
  let reasoning = ''
  let end: End | undefined
  for await (const part of parts) {
    if (part.kind === 'end') end = part
    else if (part.kind === 'reasoning') reasoning += part.text
    else {
      const { visible, voids } = text.push(part.text)
      if (voids) {
        content = ''
        yield { kind: 'reset' }
      }
      content += visible
      if (visible) yield { kind: 'delta', text: wellFormed(visible) }
    }
  }
  if (!end) return
  const last = text.end()
  const leak = findLeak(content + last.rest, last.held, last.reasoning + reasoning, end, tools)
  const rest = last.rest + leak.shown
  if (rest) yield { kind: 'delta', text: wellFormed(rest) }
  yield { kind: 'answer', answer: build(content + rest, end, leak, tools) }
}

interface FoundLeak {
  readonly calls: readonly AnswerCall[]
  readonly brokenCall?: string
  /** Held text that was no call after all. */
  readonly shown: string
}

/** A call inside thinking counts only when nothing else was said: then it was meant, not considered. */
function findLeak(
  content: string,
  held: string,
  reasoning: string,
  end: End,
  tools: readonly ToolDefinition[],
): FoundLeak {
  const nothing = { calls: [], shown: held }
  if (end.calls.length > 0 || tools.length === 0) return nothing
  const start = reasoning.search(/<tool_call>|<function=/)
  const candidate = held || (content.trim() === '' && start >= 0 ? reasoning.slice(start) : '')
  if (candidate === '') return nothing
  const leak = parseLeakedCalls(candidate, tools)
  if (leak.kind === 'calls') {
    return { calls: leak.calls.map((call) => ({ ...call, id: newCallId() })), shown: '' }
  }
  const tool = tools.find(({ name }) => name === leak.tool)
  const how = tool ? describeSchema(tool) : `The tools are: ${tools.map(({ name }) => name).join(', ')}.`
  return {
    calls: [],
    shown: '',
    brokenCall:
      `[system note: you wrote a tool call as text and it was not run, because ${leak.reason}. ` +
      `Use function calling. ${how} If you only meant to show it, put it into a code block.]`,
  }
}

function build(content: string, end: End, leak: FoundLeak, tools: readonly ToolDefinition[]): Answer {
  const cutOff = end.finish === 'length'
  const seen = new Set<string>()
  const native = end.calls.map((call, index) => readCall(call, tools, cutOff && index === end.calls.length - 1, seen))
  return {
    content: wellFormed(cutOff ? content : content.trimEnd()),
    calls: native.length > 0 ? native : leak.calls,
    cutOff,
    ...(leak.brokenCall && { brokenCall: leak.brokenCall }),
    ...(end.usage && { usage: end.usage }),
  }
}

function readCall(raw: RawToolCall, tools: readonly ToolDefinition[], cutOff: boolean, seen: Set<string>): AnswerCall {
  const id = raw.id && !seen.has(raw.id) && raw.id.length <= 128 ? raw.id : newCallId()
  seen.add(id)
  const tool = findTool(raw.name, tools)
  if (!tool) {
    const problem = `There is no tool named "${raw.name.slice(0, 64)}". The tools are: ${tools.map(({ name }) => name).join(', ')}.`
    return { id, name: legalName(raw.name), input: {}, problem }
  }
  const read = parseArguments(wellFormed(raw.arguments), tool, cutOff)
  if ('problem' in read) return { id, name: tool.name, input: {}, problem: read.problem }
  return { id, name: tool.name, input: read.input, ...(read.note && { note: read.note }) }
}

/** Models that saw other systems put a name space before the name. */
function findTool(name: string, tools: readonly ToolDefinition[]): ToolDefinition | undefined {
  const plain = name.trim().replace(/^(?:functions?|tools?|default_api)[.:/]/, '')
  return tools.find((tool) => tool.name === plain)
}

function legalName(name: string): string {
  return name.replace(/[^\w-]/g, '_').slice(0, 64) || 'unknown'
}

function newCallId(): string {
  return `call_${randomBytes(9).toString('base64url')}`
}
