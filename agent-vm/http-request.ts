/**
 * Requests to other servers, by `node:http` and `node:https`: Node's own `fetch` and its web streams would hold 12 MB for them
 * and take a good part of a turn. Redirects are not followed: the key of each request must not travel on.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Agent as TlsAgent } from 'node:https'

export interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
  /** Ends the request or its answer, whichever is under way. */
  readonly signal: AbortSignal
}

/** How long a connection waits for the next request; servers close theirs after five seconds or more, some say when. */
const KEEP_ALIVE = { keepAlive: true, timeout: 60_000 }

let plain: Agent | undefined
let encrypted: TlsAgent | undefined

/** Resolves with the head of the answer, whatever its status. @throws when there is none */
export async function postRequest(post: PostRequest): Promise<IncomingMessage> {
  try {
    return await attempt(post)
  } catch (error) {
    // A kept connection that the server closed meanwhile: nothing was wrong, and on a new one it has a fair chance.
    if (!(error instanceof StaleConnection) || post.signal.aborted) throw error
    return attempt(post)
  }
}

class StaleConnection extends Error {
  readonly code = 'stale_connection'
}

async function attempt(post: PostRequest): Promise<IncomingMessage> {
  const sent = await open(post)
  return new Promise((resolve, reject) => {
    sent.on('error', (error) => {
      const isStale = sent.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error)
    })
    sent.once('response', (response) => {
      // Who reads it hears of its failure; after that nobody need.
      response.on('error', () => undefined)
      resolve(response)
    })
    sent.end(post.body)
  })
}

async function open({ url, headers, body, signal }: PostRequest): Promise<ClientRequest> {
  const target = new URL(url)
  const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal }
  if (target.protocol !== 'https:') {
    plain ??= new Agent(KEEP_ALIVE)
    return request(target, { ...options, agent: plain })
  }
  const https = await import('node:https')
  encrypted ??= new https.Agent(KEEP_ALIVE)
  return https.request(target, { ...options, agent: encrypted })
}

export function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

/** The text of an answer, or of its beginning; the rest is not waited for. */
export async function readText(response: IncomingMessage, maxChars: number): Promise<{ text: string; whole: boolean }> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > maxChars) return { text: text.slice(0, maxChars), whole: false }
  }
  return { text, whole: true }
}
