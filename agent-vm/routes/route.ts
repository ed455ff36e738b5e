/**
 * What a route is: an address, what it takes and what it answers with. Plain `node:http` underneath: a framework on `Request`
 * and `Response` brings Node's own `fetch` and web streams along, 12 MB and a third of a turn's work.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import type { z } from 'zod'

/** JSON of the longest allowed message, every character escaped. */
const MAX_JSON_BYTES = 8 * 1024 * 1024

export interface Call {
  /** What stands in the address for `:name` and `*`, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly request: IncomingMessage
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text, bytes as they come, or what writes by itself until the reader has gone or all is said. */
  readonly body: string | Readable | ((response: ServerResponse) => Promise<void>)
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/chat/:chat_id/stop`; `:id{[0-9]+}` takes only what the expression matches whole; `*` at the end takes all the rest. */
  readonly path: string
  handle(call: Call): Reply | Promise<Reply>
}

export function json(body: unknown, status = 200): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** A request that is refused with an answer of its own. */
export class Refused extends Error {
  readonly code = 'refused'
  readonly reply: Reply

  constructor(status: 400 | 404 | 409 | 413, body: { error: string; message?: string }, cause?: unknown) {
    super(body.error, { cause })
    this.reply = json(body, status)
  }
}

/**
 * The body, checked: what is no JSON or has another shape is answered with 400, what is too long with 413. @throws {Refused}
 * @param options.whenEmpty stands for no body at all, where that is allowed
 */
export async function readBody<S extends z.ZodType>(
  { request }: Call,
  schema: S,
  options: { whenEmpty?: z.input<S> } = {},
): Promise<z.infer<S>> {
  const text = await readText(request)
  let value: unknown
  try {
    value = text === '' && options.whenEmpty !== undefined ? options.whenEmpty : JSON.parse(text)
  } catch (error) {
    throw new Refused(400, { error: 'invalid_json', message: 'The body is not valid JSON.' }, error)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue?.path.join('.') || 'body'
  const isTooLong = result.error.issues.some(({ code }) => code === 'too_big')
  const error = isTooLong ? 'too_large' : 'invalid_request'
  const message = `${where}: ${issue?.message ?? 'is not valid'}`
  throw new Refused(isTooLong ? 413 : 400, { error, message }, result.error)
}

/** The body as it comes. Who gives up on it can still answer: the connection is not the body's to close. */
export function openBody({ request }: Call): Readable {
  const body = new PassThrough()
  request.once('error', (error) => body.destroy(error))
  body.once('close', () => request.unpipe(body).resume())
  return request.pipe(body)
}

function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_JSON_BYTES) chunks.push(chunk)
      else reject(new Refused(413, { error: 'too_large', message: 'This is too long.' }))
    })
    request.once('end', () => resolve(new TextDecoder().decode(Buffer.concat(chunks))))
    request.once('error', reject)
  })
}
