/** What a Bot API method is here: strict parameters, what it weighs on the chat's flood purse, what it does. */
import type { z } from 'zod'
import { badRequest } from '../api-error.ts'
import type { World } from '../world.ts'
import type { ChatRef } from './parameters.ts'
import type { Upload } from './request-body.ts'

export interface CallContext {
  readonly world: World
  readonly uploads: ReadonlyMap<string, Upload>
  /** Ends when the caller hangs up. */
  readonly signal: AbortSignal
  /** Notes what Telegram would do without a word. */
  readonly warn: (warning: string) => void
}

export interface Method {
  readonly name: string
  /** Weight on the chat's purse; 0 for what flood control leaves alone. */
  readonly weight: (params: unknown) => number
  readonly parse: (fields: Record<string, unknown>) => unknown
  readonly parameters: ReadonlySet<string>
  readonly run: (params: unknown, context: CallContext) => unknown
}

interface Definition<S extends z.ZodObject> {
  readonly name: string
  /** A strict object: an unknown parameter is an error here, although Telegram would ignore it in silence. */
  readonly params: S
  readonly weight?: number | ((params: z.infer<S>) => number)
  readonly run: (params: z.infer<S>, context: CallContext) => unknown
}

export function defineMethod<S extends z.ZodObject>({ name, params, weight = 0, run }: Definition<S>): Method {
  const parse = (fields: Record<string, unknown>): z.infer<S> => {
    const result = params.safeParse(fields)
    if (result.success) return result.data
    throw badRequest(describeIssue(name, fields, result.error.issues[0]))
  }
  return {
    name,
    parameters: new Set(Object.keys(params.shape)),
    parse,
    // `parse` made what the other two are given: the registry holds methods of many shapes side by side.
    weight: (parsed) => (typeof weight === 'number' ? weight : weight(parsed as z.infer<S>)),
    run: (parsed, context) => run(parsed as z.infer<S>, context),
  }
}

/** The chat a call is about, before its parameters are parsed. */
export function chatRefOf(fields: Readonly<Record<string, unknown>>): ChatRef | undefined {
  const value = fields.chat_id
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value === '') return undefined
  return /^-?\d+$/.test(value) ? Number(value) : value
}

const MISSING: Readonly<Record<string, string>> = {
  chat_id: 'chat_id is empty',
  text: 'message text is empty',
  message_id: 'message identifier is not specified',
  message_ids: 'message identifiers are not specified',
  file_id: 'file_id not specified',
  action: 'wrong parameter action in request',
  photo: 'there is no photo in the request',
  document: 'there is no document in the request',
  voice: 'there is no voice in the request',
  audio: 'there is no audio in the request',
  video: 'there is no video in the request',
  animation: 'there is no animation in the request',
  sticker: 'there is no sticker in the request',
  user_id: 'invalid user_id specified',
}

function describeIssue(method: string, fields: Record<string, unknown>, issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'invalid parameters'
  if (issue.code === 'custom') return issue.message
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length > 0 ? `${issue.path.join('.')} of ${method}` : method
    return `unknown parameter ${issue.keys.map((key) => `"${key}"`).join(', ')} in ${where}`
  }
  const parameter = String(issue.path[0] ?? '')
  const given = fields[parameter]
  if (given === undefined || given === '') return MISSING[parameter] ?? `parameter "${parameter}" is required`
  if (parameter === 'chat_id') return 'chat not found'
  return `can't parse parameter "${issue.path.join('.')}": ${issue.message}`
}
