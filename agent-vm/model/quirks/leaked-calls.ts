/**
 * Tool calls that a server's parser left in the text. Known shapes: Qwen3-Coder (`<function=x><parameter=y>…`, with or without
 * the opening `<tool_call>`), Hermes JSON inside `<tool_call>`, GLM-4.x (`<arg_key>`/`<arg_value>`).
 *
 * A call is accepted only when it is certain: closed, at the very end, a known tool, every parameter in its schema and of its
 * type. Anything less is `broken`, and the model is told; it is never completed by guessing.
 */
import type { ToolDefinition } from '../../tools/tool-runner.ts'

export interface LeakedCall {
  readonly name: string
  readonly input: Record<string, unknown>
}

export type Leak =
  | { readonly kind: 'calls'; readonly calls: readonly LeakedCall[] }
  | { readonly kind: 'broken'; readonly tool: string | undefined; readonly reason: string }

// No white space of its own around what is lazy: an answer that ends in thousands of empty lines would be tried in every way.
const BLOCK = /^\s*(?:<tool_call>([\s\S]*?)<\/tool_call>|(<function=[\s\S]*?<\/function>)(?:\s*<\/tool_call>)?)/
const QWEN = /^<function=([\w.-]+)>([\s\S]*?)<\/function>$/
const QWEN_PARAMETER = /^\s*<parameter=([\w.-]+)>\n?([\s\S]*?)\n?<\/parameter>(?=\s*(?:<parameter=|$))/
const GLM = /^([\w.-]+)\s*((?:<arg_key>[\s\S]*)?)$/
const GLM_ARGUMENT = /^\s*<arg_key>([\s\S]{0,200}?)<\/arg_key>\s*<arg_value>([\s\S]*?)<\/arg_value>/

class Broken extends Error {
  readonly code = 'broken_call'
  readonly tool: string | undefined
  constructor(reason: string, tool?: string) {
    super(reason)
    this.tool = tool
  }
}

/** @param text begins with `<tool_call>` or `<function=` */
export function parseLeakedCalls(text: string, tools: readonly ToolDefinition[]): Leak {
  const calls: LeakedCall[] = []
  let rest = text
  try {
    while (rest.trim() !== '') {
      const block = BLOCK.exec(rest)
      if (!block) throw new Broken(calls.length > 0 ? 'text follows the call' : 'the call is not closed', nameIn(rest))
      calls.push(parseBlock((block[1] ?? block[2] ?? '').trim(), tools))
      rest = rest.slice(block[0].length)
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    return { kind: 'broken', tool: error.tool ?? nameIn(text), reason: error.message }
  }
  return { kind: 'calls', calls }
}

function parseBlock(block: string, tools: readonly ToolDefinition[]): LeakedCall {
  if (block.startsWith('{')) return parseHermes(block, tools)
  const qwen = QWEN.exec(block)
  if (qwen?.[1] !== undefined) return build(qwen[1], readPairs(qwen[2] ?? '', QWEN_PARAMETER), tools)
  const glm = GLM.exec(block)
  if (glm?.[1] !== undefined) return build(glm[1], readPairs(glm[2] ?? '', GLM_ARGUMENT), tools)
  throw new Broken('its form was not recognised')
}

function parseHermes(block: string, tools: readonly ToolDefinition[]): LeakedCall {
  const call = parseJson(block)
  if (!isObject(call) || typeof call.name !== 'string') throw new Broken('the JSON of the call is not complete')
  const tool = find(call.name, tools)
  const input = typeof call.arguments === 'string' ? parseJson(call.arguments) : (call.arguments ?? {})
  if (!isObject(input)) throw new Broken('its arguments are not a JSON object', tool.name)
  return { name: tool.name, input }
}

function readPairs(text: string, pair: RegExp): [string, string][] {
  const pairs: [string, string][] = []
  let rest = text
  while (rest.trim() !== '') {
    const found = pair.exec(rest)
    if (found?.[1] === undefined) throw new Broken('a parameter is not closed')
    pairs.push([found[1].trim(), found[2] ?? ''])
    rest = rest.slice(found[0].length)
  }
  return pairs
}

function build(name: string, pairs: readonly [string, string][], tools: readonly ToolDefinition[]): LeakedCall {
  const tool = find(name, tools)
  const properties = isObject(tool.parameters.properties) ? tool.parameters.properties : {}
  const input: Record<string, unknown> = {}
  for (const [key, value] of pairs) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (!isObject(schema)) throw new Broken(`it has no parameter "${key.slice(0, 40)}"`, tool.name)
    if (Object.hasOwn(input, key)) throw new Broken(`parameter "${key}" is given twice`, tool.name)
    input[key] = readValue(key, value, schema, tool.name)
  }
  for (const key of Array.isArray(tool.parameters.required) ? tool.parameters.required : []) {
    if (!Object.hasOwn(input, String(key))) throw new Broken(`parameter "${key}" is missing`, tool.name)
  }
  return { name: tool.name, input }
}

/** In these shapes every value is text; only its schema says what it is. */
function readValue(key: string, value: string, schema: Record<string, unknown>, tool: string): unknown {
  if (schema.type === 'string' || Array.isArray(schema.enum)) return value
  const parsed = parseJson(value.trim())
  if (parsed === undefined) throw new Broken(`parameter "${key}" is not ${schema.type ?? 'valid JSON'}`, tool)
  return parsed
}

function find(name: string, tools: readonly ToolDefinition[]): ToolDefinition {
  const tool = tools.find((known) => known.name === name)
  if (!tool) throw new Broken(`there is no tool named "${name.slice(0, 64)}"`)
  return tool
}

function nameIn(text: string): string | undefined {
  return /<function=([\w.-]+)|"name"\s*:\s*"([\w.-]+)"|<tool_call>\s*([\w.-]+)/.exec(text)?.slice(1).find(Boolean)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
