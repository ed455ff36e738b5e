/**
 * What may be asked of a model through the gateway. The messages go on exactly as they came, byte for byte in their order:
 * anything else would make a provider read the whole conversation anew.
 */
import { z } from 'zod'
import { isOfferedModel, MODELS } from '../models.ts'
import type { ApiFailure } from './api-failure.ts'

/** Text for the largest offered context, with every character escaped, and room for tools. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024
const MAX_MESSAGES = 4_000
const MAX_TOOLS = 128

const Message = z.looseObject({ role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']) })
const Tool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1).max(128) }),
})
const tokens = z.int().min(1)

/** Allowed parameters. Others are dropped, so that newer clients go on working; nothing unknown reaches the provider. */
const Body = z.object({
  model: z.string(),
  messages: z.array(Message).min(1).max(MAX_MESSAGES),
  tools: z.array(Tool).max(MAX_TOOLS).optional(),
  tool_choice: z.union([z.string(), z.looseObject({})]).optional(),
  parallel_tool_calls: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: tokens.nullish(),
  max_completion_tokens: tokens.nullish(),
  n: z.literal(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(0).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  reasoning_effort: z.string().max(16).nullish(),
  chat_template_kwargs: z.looseObject({}).nullish(),
})
const ALLOWED = new Set(Object.keys(Body.shape))

export interface ChatRequest {
  readonly model: string
  readonly streams: boolean
  /** The client wants the chunk with the usage; the gateway always does. */
  readonly wantsUsage: boolean
  /** What the provider is sent. */
  readonly body: string
}

export type ParsedChatRequest = { readonly request: ChatRequest } | { readonly failure: ApiFailure }

/** @param given the decoded body, untrusted; `undefined` when it was no JSON */
export function parseChatRequest(given: unknown): ParsedChatRequest {
  const parsed = Body.safeParse(given)
  if (!parsed.success) return refuse(400, 'invalid_request', describe(parsed.error.issues[0]))
  const { model, stream, stream_options, max_tokens, max_completion_tokens } = parsed.data
  if (!isOfferedModel(model)) {
    const offered = MODELS.map(({ id }) => id).join(', ')
    return refuse(404, 'model_not_found', `This model is not offered. There are: ${offered}.`)
  }
  const contextTokens = MODELS.find(({ id }) => id === model)?.contextTokens ?? 0
  if (Math.max(max_tokens ?? 0, max_completion_tokens ?? 0) > contextTokens) {
    return refuse(400, 'invalid_request', `max_tokens is larger than the model's context of ${contextTokens} tokens.`)
  }
  const streams = stream === true
  const allowed = Object.entries(given as object).filter(([name, value]) => ALLOWED.has(name) && value !== null)
  const body = toJson({
    ...Object.fromEntries(allowed),
    ...(streams ? { stream_options: { include_usage: true } } : {}),
  })
  if (body === undefined) return refuse(400, 'invalid_request', 'The body is nested too deeply.')
  return { request: { model, streams, wantsUsage: stream_options?.include_usage === true, body } }
}

/** @returns `undefined` for what is nested deeper than the stack */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function refuse(status: 400 | 404, code: string, message: string): ParsedChatRequest {
  return { failure: { status, code, message } }
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  if (!issue || issue.path.length === 0) return 'The body must be a JSON object.'
  return `${issue.path.join('.')}: ${issue.message}`
}
