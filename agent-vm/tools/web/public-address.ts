/**
 * Which addresses the web tools may talk to: public ones only. Everything else is somebody's inside: this machine, its
 * network, a cloud's metadata service. Pure.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Public by their number, but answered by the cloud's own host: Azure's and Oracle's services, Alibaba's is in 100.64/10. */
const HOST_SERVICES = ['168.63.129.16', '192.0.0.192']
/** Everything that is routed to the public lies here (RFC 4291, IANA); what is special inside it has a name in ipaddr.js. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')
/** Inside it, and not known to ipaddr.js by a range of its own. */
const SPECIAL_IPV6 = ['2001::/23', '3fff::/20', '5f00::/16', '2620:4f:8000::/48'].map((range) =>
  ipaddr.IPv6.parseCIDR(range),
)

/**
 * @param address as a resolver or a URL parser gave it
 * @param own addresses of this very machine, which may be public
 */
export function isPublicAddress(address: string, own: readonly string[] = []): boolean {
  // A zone (`%eth0`) only makes sense for what is not public.
  if (address.includes('%') || !isIP(address)) return false
  const parsed = ipaddr.parse(address)
  if (own.some((each) => isSame(each, parsed))) return false
  if (parsed.kind() === 'ipv4') return isPublicIpv4(parsed)
  return isPublicIpv6(parsed)
}

function isPublicIpv4(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && !HOST_SERVICES.includes(address.toString())
}

/** Forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) are refused whatever they carry. */
function isPublicIpv6(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (!(address instanceof ipaddr.IPv6)) return false
  if (address.range() !== 'unicast' || !address.match(GLOBAL_IPV6)) return false
  return !SPECIAL_IPV6.some((range) => address.match(range))
}

function isSame(own: string, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const bare = own.split('%')[0] ?? own
  return ipaddr.isValid(bare) && ipaddr.parse(bare).toNormalizedString() === address.toNormalizedString()
}
