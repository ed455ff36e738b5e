/** From an address to what the model reads of it. */
import { ToolFailure } from '../confined/tool-failure.ts'
import type { WebFetchInput } from '../confined/web-fetch.ts'
import type { ToolResult } from '../tool-runner.ts'
import { readBoundedBody } from './bounded-body.ts'
import { fenceUntrusted } from './fence.ts'
import { type Network, requestPage, systemNetwork, type WebResponse } from './pinned-request.ts'
import { renderDocument } from './render-document.ts'

/** Shown at once; `offset` goes on. */
export const SHOWN_CHARS = 24_000
/** From the first look-up to the last byte, redirects included. */
const TOTAL_MS = 30_000

export async function readPage(
  { url, offset }: WebFetchInput,
  signal: AbortSignal,
  network: Network = systemNetwork(),
): Promise<ToolResult> {
  const limit = AbortSignal.timeout(TOTAL_MS)
  const both = AbortSignal.any([signal, limit])
  try {
    const response = await requestPage(url, network, both)
    try {
      return await render(response, offset)
    } finally {
      await response.close()
    }
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw new ToolFailure(`The page took longer than ${TOTAL_MS / 1000} s.`)
    throw signal.aborted ? error : networkFailure(error)
  }
}

async function render(response: WebResponse, offset: number): Promise<ToolResult> {
  const { bytes, isCut } = await readBoundedBody(response.body, response.contentEncoding)
  const { title, text } = await renderDocument({ bytes, contentType: response.contentType, url: response.url })
  const shown = text.slice(offset, offset + SHOWN_CHARS).toWellFormed()
  if (shown === '' && offset > 0) throw new ToolFailure(`The page has only ${text.length} characters.`)
  const end = offset + shown.length
  const notes = [
    end < text.length && `characters ${offset}-${end} of ${text.length}; go on with offset ${end}`,
    end >= text.length && isCut && 'the page is longer than what is read of it',
  ].filter(Boolean)
  const host = response.url.host
  const isOk = response.status < 400
  const head = [
    `${response.url.href.slice(0, 1000)}${isOk ? '' : ` answered with status ${response.status}`}`,
    title && `Title: ${title}`,
  ].filter(Boolean)
  const body = fenceUntrusted(`web page ${host}`, [...head, '', shown || '[the page is empty]'].join('\n'))
  return {
    ok: isOk,
    content: [body, ...notes.map((note) => `[${note}]`)].join('\n'),
    summary: isOk
      ? `read ${host}${title ? `: ${title.slice(0, 80)}` : ''}`.toWellFormed()
      : `${host}: status ${response.status}`,
  }
}

function networkFailure(error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new ToolFailure(`The page could not be read: ${REASONS[code] ?? (code || String(error)).slice(0, 200)}`, {
    cause: error,
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the server refuses the connection.',
  ECONNRESET: 'the server broke off the connection.',
  UND_ERR_CONNECT_TIMEOUT: 'the server does not answer.',
  UND_ERR_HEADERS_TIMEOUT: 'the server accepts the connection and does not answer.',
  UND_ERR_BODY_TIMEOUT: 'the server stopped in the middle.',
  UND_ERR_HEADERS_OVERFLOW: 'its headers are too long.',
  UND_ERR_SOCKET: 'the server broke off the connection.',
  ENETUNREACH: 'there is no way to that network from here.',
  CERT_HAS_EXPIRED: 'its certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name.',
  Z_DATA_ERROR: 'its compressed content is broken.',
  Z_BUF_ERROR: 'its compressed content is cut off.',
}
