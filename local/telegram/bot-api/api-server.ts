/** One call of the Bot API from the first byte to the answer: body, faults, parameters, flood control, effect, log. */
import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, badRequest, tooManyRequests } from '../api-error.ts'
import type { World } from '../world.ts'
import { findChatId } from './access.ts'
import type { Fault } from './faults.ts'
import { serveBotFile } from './file-route.ts'
import { type CallContext, chatRefOf, type Method } from './method.ts'
import { chatWorkMethods } from './methods/chat-work.ts'
import { chatMethods } from './methods/chats.ts'
import { draftMethods } from './methods/drafts.ts'
import { forwardingMethods } from './methods/forwarding.ts'
import { mediaMethods } from './methods/media.ts'
import { profileMethods } from './methods/profile.ts'
import { receivingMethods } from './methods/receiving.ts'
import { textMethods } from './methods/text-messages.ts'
import { type CallBody, readCallBody } from './request-body.ts'

/** Method names are not case-sensitive in the Bot API. */
const METHODS: ReadonlyMap<string, Method> = new Map(
  [
    ...receivingMethods,
    ...textMethods,
    ...draftMethods,
    ...mediaMethods,
    ...chatWorkMethods,
    ...chatMethods,
    ...forwardingMethods,
    ...profileMethods,
  ].map((method) => [method.name.toLowerCase(), method]),
)

const ROUTE = /^\/(file\/)?bot([^/]+)\/(.+)$/

/** @returns whether the request was for the Bot API */
export async function serveBotApi(world: World, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = ROUTE.exec(url.pathname)
  if (!route) return false
  const [, file, token = '', rest = ''] = route
  const refusal = checkToken(world, decodeURIComponent(token))
  if (refusal) answer(response, refusal)
  else if (file) await serveBotFile(world, decodeURIComponent(rest), response)
  else await serveCall(world, { request, response, name: rest, query: url.searchParams })
  return true
}

function checkToken(world: World, token: string): ApiError | undefined {
  if (token === world.token) return undefined
  return /^\d+:[\w-]+$/.test(token) ? new ApiError(401, 'Unauthorized') : new ApiError(404, 'Not Found')
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly name: string
  readonly query: URLSearchParams
}

/** What is known of a call when it is written to the log. */
interface Noted {
  readonly at: number
  readonly warnings: string[]
  readonly body: CallBody
  inPenalty: boolean
}

async function serveCall(world: World, { request, response, name, query }: Call): Promise<void> {
  const method = METHODS.get(name.toLowerCase())
  const noted: Noted = {
    at: world.clock.now(),
    warnings: [],
    body: { fields: {}, uploads: new Map() },
    inPenalty: false,
  }
  let outcome: Outcome
  let afterwards: Fault | undefined
  try {
    await readCallBody(request, query, noted.body, () => world.files.temporaryPath())
    const faults = world.faults.strike(method?.name ?? name, chatIdOf(world, noted.body.fields))
    afterwards = faults.find(({ kind }) => kind === 'drop_after')
    outcome = (await applyFaults(world, faults, noted)) ?? (await runMethod(world, method, response, noted))
  } catch (error) {
    outcome = { error: asApiError(error) }
  }
  writeLog(world, method?.name ?? name, noted, afterwards ? { ...outcome, dropped: true } : outcome)
  // What became a file of a message was moved away; the rest has no use.
  await Promise.all([...noted.body.uploads.values()].map(({ path }) => rm(path, { force: true })))
  if (outcome.dropped || afterwards) response.destroy()
  else if (outcome.plainStatus !== undefined) answerAsProxy(response, outcome.plainStatus)
  else answer(response, outcome.error ?? { result: outcome.result })
}

interface Outcome {
  readonly result?: unknown
  readonly error?: ApiError
  /** An answer that is no Bot API answer at all. */
  readonly plainStatus?: number
  readonly dropped?: boolean
}

async function applyFaults(world: World, faults: readonly Fault[], noted: Noted): Promise<Outcome | undefined> {
  for (const fault of faults) {
    switch (fault.kind) {
      case 'delay':
        await world.faults.delay(fault.ms)
        break
      case 'drop_before':
        return { dropped: true }
      case 'server_error':
        return { plainStatus: fault.status }
      case 'flood': {
        const chatId = chatIdOf(world, noted.body.fields)
        if (chatId !== undefined) world.flood.penalize(chatId, fault.retry_after)
        return { error: tooManyRequests(fault.retry_after) }
      }
      case 'error': {
        const to = fault.migrate_to_chat_id
        const parameters = to === undefined ? undefined : { migrate_to_chat_id: to }
        return { error: new ApiError(fault.error_code, fault.description, parameters) }
      }
      case 'drop_after':
        break
    }
  }
  return undefined
}

async function runMethod(
  world: World,
  method: Method | undefined,
  response: ServerResponse,
  noted: Noted,
): Promise<Outcome> {
  if (!method) throw new ApiError(404, 'Not Found: method not found')
  const { fields, uploads } = noted.body
  const params = method.parse(withUploads(method, noted.body))
  const weight = method.weight(params)
  const chatId = chatIdOf(world, fields)
  if (weight > 0 && chatId !== undefined) {
    const verdict = world.flood.check({ chatId, weight })
    if (!verdict.allowed) {
      noted.inPenalty = verdict.inPenalty
      throw tooManyRequests(verdict.retryAfterS)
    }
  }
  const hungUp = new AbortController()
  response.once('close', () => hungUp.abort())
  const context: CallContext = {
    world,
    uploads,
    signal: hungUp.signal,
    warn: (warning) => noted.warnings.push(warning),
  }
  return { result: await method.run(params, context) }
}

/** A part named like a parameter is that parameter; any other must be meant by an `attach://`. */
function withUploads(method: Method, { fields, uploads }: CallBody): Record<string, unknown> {
  const all = { ...fields }
  const text = JSON.stringify(fields)
  for (const [name, upload] of uploads) {
    if (method.parameters.has(name) && all[name] === undefined) all[name] = upload
    else if (!text.includes(`attach://${name}`)) throw badRequest(`unknown parameter "${name}" in ${method.name}`)
  }
  return all
}

/** A call that came as the answer to a webhook delivery: it takes effect, and nobody hears how it went. */
export async function runWebhookReply(world: World, body: Record<string, unknown>): Promise<void> {
  const { method: name, ...fields } = body
  const wanted = String(name).toLowerCase()
  const isRefused = wanted.startsWith('get') || ['setwebhook', 'deletewebhook', 'close', 'logout'].includes(wanted)
  const method = METHODS.get(wanted)
  if (isRefused || !method) return
  const at = world.clock.now()
  const noted: Noted = { at, warnings: ['in a webhook reply'], body: { fields, uploads: new Map() }, inPenalty: false }
  const context: CallContext = {
    world,
    uploads: new Map(),
    signal: new AbortController().signal,
    warn: (warning) => noted.warnings.push(warning),
  }
  let outcome: Outcome
  try {
    outcome = { result: await method.run(method.parse(fields), context) }
  } catch (error) {
    outcome = { error: asApiError(error) }
  }
  writeLog(world, method.name, noted, outcome)
}

function chatIdOf(world: World, fields: Readonly<Record<string, unknown>>): number | undefined {
  const ref = chatRefOf(fields)
  return ref === undefined ? undefined : findChatId(world, ref)
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  console.error(error)
  return new ApiError(500, 'Internal Server Error')
}

function writeLog(world: World, method: string, noted: Noted, outcome: Outcome): void {
  const { fields, uploads } = noted.body
  const chatId = chatIdOf(world, fields)
  const files: [string, unknown][] = [...uploads].map(([part, { name, size }]) => [part, { name, size }])
  const status = outcome.error?.errorCode ?? outcome.plainStatus ?? 200
  world.calls.add({
    at: noted.at,
    ms: world.clock.now() - noted.at,
    method,
    ...(chatId === undefined ? {} : { chat_id: chatId }),
    params: { ...fields, ...Object.fromEntries(files) },
    ok: status === 200 && !outcome.dropped,
    status: outcome.dropped ? 0 : status,
    ...(outcome.error ? { description: outcome.error.message } : {}),
    ...(outcome.result === undefined ? {} : { result: outcome.result }),
    in_penalty: noted.inPenalty,
    warnings: noted.warnings,
  })
}

function answer(response: ServerResponse, outcome: ApiError | { readonly result: unknown }): void {
  if (response.destroyed) return
  const isError = outcome instanceof ApiError
  const body = isError
    ? {
        ok: false,
        error_code: outcome.errorCode,
        description: outcome.message,
        ...(outcome.parameters ? { parameters: outcome.parameters } : {}),
      }
    : { ok: true, result: outcome.result }
  const retryAfter = isError ? outcome.parameters?.retry_after : undefined
  response.statusCode = isError ? outcome.errorCode : 200
  response.setHeader('content-type', 'application/json')
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  // What is left of a body that was refused is not read.
  if (isError && outcome.errorCode === 413) response.setHeader('connection', 'close')
  response.end(JSON.stringify(body))
}

function answerAsProxy(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' })
  response.end(`<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center></body></html>`)
}
