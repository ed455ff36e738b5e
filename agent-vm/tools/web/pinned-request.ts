/**
 * One GET request to an address that was resolved once, checked, and is then the only one the socket may connect to. A name
 * that resolves to something else a moment later (DNS rebinding) makes no difference.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import { ToolFailure } from '../confined/tool-failure.ts'
import { hostName, parsePublicUrl, refuseInside } from './checked-url.ts'
import { isPublicAddress } from './public-address.ts'

const MAX_REDIRECTS = 5
const CONNECT_TIMEOUT_MS = 8000
const HEADERS_TIMEOUT_MS = 15_000
const BODY_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 32 * 1024
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** What tests replace: the real ones resolve by the system and connect to what was checked. */
export interface Network {
  resolve(name: string): Promise<readonly string[]>
  /** The one place that decides; `own` are this machine's addresses. */
  isAllowed(address: string): boolean
  connect(options: { lookup: LookupFunction }): Dispatcher
}

export interface WebResponse {
  readonly url: URL
  readonly status: number
  readonly contentType: string
  readonly contentEncoding: string
  readonly body: Readable
  close(): Promise<void>
}

export function systemNetwork(): Network {
  const own = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address))
  return {
    resolve: async (name) =>
      (await systemLookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address),
    isAllowed: (address) => isPublicAddress(address, own),
    connect: ({ lookup }) =>
      new Agent({
        connect: { lookup, timeout: CONNECT_TIMEOUT_MS },
        headersTimeout: HEADERS_TIMEOUT_MS,
        bodyTimeout: BODY_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        pipelining: 0,
      }),
  }
}

/** Follows redirects, each checked like the first. The caller closes the response. @throws {ToolFailure} */
export async function requestPage(address: string, network: Network, signal: AbortSignal): Promise<WebResponse> {
  let url = parsePublicUrl(address)
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await requestOnce(url, network, signal)
    const next = response.location
    if (next === undefined) return response
    await response.close()
    if (!URL.canParse(next, url)) throw new ToolFailure(`${url.host} redirects to something that is no address.`)
    url = parsePublicUrl(new URL(next, url).href)
  }
  throw new ToolFailure(`More than ${MAX_REDIRECTS} redirects, the last one to ${url.host}.`)
}

async function requestOnce(
  url: URL,
  network: Network,
  signal: AbortSignal,
): Promise<WebResponse & { location: string | undefined }> {
  const name = hostName(url)
  const addresses = await resolveChecked(name, network, signal)
  const dispatcher = network.connect({ lookup: pinnedLookup(addresses) })
  try {
    const { statusCode, headers, body } = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: {
        'user-agent': 'Mozilla/5.0 (compatible; BaalAgent/1.0)',
        accept: 'text/html,application/xhtml+xml,application/json,text/plain;q=0.9,*/*;q=0.5',
        'accept-language': 'en;q=0.8,*;q=0.5',
        'accept-encoding': 'gzip, deflate, br',
      },
      signal,
    })
    const location = REDIRECTS.has(statusCode) ? single(headers.location) : undefined
    return {
      url,
      status: statusCode,
      contentType: single(headers['content-type']) ?? '',
      contentEncoding: single(headers['content-encoding']) ?? '',
      body,
      location: location === '' ? undefined : location,
      close: () => dispatcher.destroy(),
    }
  } catch (error) {
    await dispatcher.destroy()
    throw error
  }
}

/** All of a name's addresses have to be public: one that points inside shows what the name is for. */
async function resolveChecked(name: string, network: Network, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted()
  const addresses = isIP(name) ? [name] : await resolveName(name, network)
  if (!addresses.every((address) => network.isAllowed(address))) throw refuseInside(name)
  return addresses
}

async function resolveName(name: string, network: Network): Promise<readonly string[]> {
  try {
    const addresses = await network.resolve(name)
    if (addresses.length > 0) return addresses
  } catch (error) {
    throw new ToolFailure(`The name ${name} cannot be resolved. Check its spelling.`, { cause: error })
  }
  throw new ToolFailure(`The name ${name} has no address.`)
}

function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_name, options, done) => {
    const [first] = entries
    if (!first) done(new Error('no address'), '', 0)
    else if (options.all) done(null, entries)
    else done(null, first.address, first.family)
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
