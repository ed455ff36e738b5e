/** The public name of an instance: four words made from its item hash, under 2n6.me. */
import { z } from 'zod'
import type { Ingress } from '../../../deploy-runner/protocol.ts'

const READ_LIMIT_MS = 15_000
const WORD_BITS = 11
const WORDS = 4

const Entry = z.object({ subdomain: z.string().optional(), url: z.string().optional() })

/** @returns the base address at which the agent will be reached */
export async function fetchPublicUrl(gatewayUrl: string, itemHash: string): Promise<string> {
  try {
    const response = await fetch(new URL(`/api/hash/${itemHash}`, gatewayUrl), {
      signal: AbortSignal.timeout(READ_LIMIT_MS),
    })
    const entry = Entry.parse(await response.json())
    if (response.ok && entry.url) return new URL(entry.url.includes('://') ? entry.url : `https://${entry.url}`).origin
  } catch {
    // The gateway learns of an instance minutes late; the name itself follows from the hash.
  }
  return `https://${await subdomainOf(itemHash)}.2n6.me`
}

/** The top 44 bits of the hash as four numbers of 11 bits, each an English BIP-39 word. */
export async function subdomainOf(itemHash: string): Promise<string> {
  const { wordlists } = await import('bip39')
  const list = wordlists.english ?? []
  const top = BigInt(`0x${itemHash.slice(0, (WORD_BITS * WORDS) / 4)}`)
  return Array.from({ length: WORDS }, (_, index) => {
    const shift = BigInt(WORD_BITS * (WORDS - 1 - index))
    return list[Number((top >> shift) & 0x7ffn)]
  }).join('-')
}

/** An https name is served by Caddy on the machine; a plain address with a port is the agent itself. */
export function ingressOf(publicUrl: string): Ingress {
  const url = new URL(publicUrl)
  return url.protocol === 'https:'
    ? { kind: 'caddy', domain: url.hostname }
    : { kind: 'direct', host: url.hostname, port: Number(url.port || 80) }
}
