/**
 * From the text of a tool call's arguments to its input. Only what has one possible meaning is accepted; the rest becomes a
 * `problem` that the model reads, with the schema. Nothing is repaired and run in silence.
 */
import type { ToolDefinition } from '../../tools/tool-runner.ts'

export type Arguments =
  | { readonly input: Record<string, unknown>; readonly note?: string }
  /** What was wrong, for the model. */
  | { readonly problem: string }

const SHOWN_CHARS = 400

/** @param cutOff the answer ended at its length limit, so that the last call may be incomplete */
export function parseArguments(raw: string, tool: ToolDefinition, cutOff: boolean): Arguments {
  const text = raw.trim()
  if (text === '' || text === 'null') return { input: {} }
  const value = decode(text)
  if (isObject(value)) return { input: value }
  if (typeof value === 'string') {
    const inner = decode(value)
    // One string that holds one object has one meaning; the model is told all the same.
    if (isObject(inner)) return { input: inner, note: 'The arguments arrived as a JSON string; send a JSON object.' }
  }
  return { problem: `${explain(text, value, cutOff)} You sent: ${shorten(text)}\n${describeSchema(tool)}` }
}

export function describeSchema(tool: ToolDefinition): string {
  return `Call ${tool.name} again with one JSON object that matches this schema: ${JSON.stringify(tool.parameters)}`
}

function explain(text: string, value: unknown, cutOff: boolean): string {
  if (value !== undefined) return 'Not run: the arguments are not a JSON object.'
  if (cutOff)
    return 'Not run: your answer reached its length limit inside the arguments. Send less in one call, in several steps.'
  if (/\}\s*\{/.test(text)) return 'Not run: the arguments of several calls are glued together. Send one call for each.'
  return 'Not run: the arguments are not valid JSON.'
}

function shorten(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS / 2)} … ${text.slice(-SHOWN_CHARS / 2)}`
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
