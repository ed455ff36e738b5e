/**
 * What a core node checks of every message before it looks inside: the hash over the exact bytes, and whose signature it is.
 * Written against the protocol alone, with another library than the one that signs.
 */

import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1'
import { keccak_256 } from '@noble/hashes/sha3'
import { z } from 'zod'

const MAX_INLINE_CHARS = 200_000

export const Envelope = z.looseObject({
  chain: z.literal('ETH'),
  sender: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  type: z.enum(['INSTANCE', 'FORGET', 'AGGREGATE']),
  channel: z.string().max(128).nullish(),
  time: z.number().min(0).max(9_223_372_036),
  item_type: z.literal('inline'),
  item_hash: z.string().regex(/^[0-9a-f]{64}$/),
  item_content: z.string().max(MAX_INLINE_CHARS),
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/),
})
export type Envelope = z.infer<typeof Envelope>

export function hasRightHash({ item_content, item_hash }: Pick<Envelope, 'item_content' | 'item_hash'>): boolean {
  return createHash('sha256').update(item_content, 'utf8').digest('hex') === item_hash
}

/** EIP-191: the signed text carries the sender as the envelope spells it; the recovered address is compared without case. */
export function isSignedBySender({
  chain,
  sender,
  type,
  item_hash,
  signature,
}: Pick<Envelope, 'chain' | 'sender' | 'type' | 'item_hash' | 'signature'>): boolean {
  const text = Buffer.from(`${chain}\n${sender}\n${type}\n${item_hash}`, 'utf8')
  return signerOf(text, signature) === sender.toLowerCase()
}

/** @returns the address, in lower case, that made this `personal_sign` (EIP-191) signature; `undefined` for none */
export function signerOf(text: Uint8Array, signature: string): string | undefined {
  const prefix = Buffer.from(`\x19Ethereum Signed Message:\n${text.length}`, 'utf8')
  const bytes = Buffer.from(signature.slice(2), 'hex')
  const v = bytes[64] ?? 0
  try {
    const point = secp256k1.Signature.fromCompact(bytes.subarray(0, 64))
      .addRecoveryBit(v >= 27 ? v - 27 : v)
      .recoverPublicKey(keccak_256(Buffer.concat([prefix, text])))
    const hash = Buffer.from(keccak_256(point.toRawBytes(false).subarray(1)))
    return `0x${hash.subarray(-20).toString('hex')}`
  } catch {
    return undefined
  }
}
