/** An address as text, before it is resolved: its form, and names that can only mean something inside. Pure. */
import { ToolFailure } from '../confined/tool-failure.ts'

/** Names that never lead to the public, however the resolver answers. */
const INSIDE = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home\.arpa|corp|home|onion)$/
const LOCAL_NAMES = new Set(['ip6-localhost', 'ip6-loopback', 'broadcasthost', 'metadata', 'instance-data'])

/**
 * The WHATWG parser does the hard part: it turns every notation of an IPv4 address (decimal, octal, hexadecimal, short, full
 * width) into the usual one, so that what is checked is what is connected to.
 * @throws {ToolFailure}
 */
export function parsePublicUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new ToolFailure(`${JSON.stringify(text.slice(0, 200))} is not a complete address (https://…).`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ToolFailure(`Only http and https can be read, not ${url.protocol.slice(0, 20)}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new ToolFailure('An address with a user name or password in it is refused.')
  }
  const name = hostName(url)
  if (name === '' || LOCAL_NAMES.has(name) || INSIDE.test(name)) throw refuseInside(name)
  url.hash = ''
  return url
}

/** Lower case, without brackets and without the dot that ends a full name. */
export function hostName(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase()
}

export function refuseInside(name: string): ToolFailure {
  return new ToolFailure(
    `Refused: ${name || 'this host'} is not on the public internet (private, local or reserved address). Services on your own machine are reached with bash and curl.`,
  )
}
