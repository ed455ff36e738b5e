/**
 * What a compute node checks of an order to one of its instances (aleph-vm, `doc/operator_auth.md`): the account vouches for a
 * passing key, and that key signs method, path and time. Written against the protocol alone.
 */
import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { signerOf } from './verify-envelope.ts'

const CLOCK_SKEW_MS = 2 * 60_000

const SignedPubKey = z.object({
  sender: z.string(),
  payload: z.string().regex(/^([0-9a-f]{2})+$/),
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/),
  content: z.object({ domain: z.string() }),
})
const PubKeyPayload = z.object({
  pubkey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  alg: z.literal('ECDSA'),
  domain: z.string(),
  address: z.string(),
  expires: z.iso.datetime(),
  chain: z.enum(['ETH', 'SOL']),
})
const SignedOperation = z.object({
  payload: z.string().regex(/^([0-9a-f]{2})+$/),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
})
const OperationPayload = z.object({
  time: z.iso.datetime(),
  method: z.string(),
  path: z.string(),
  domain: z.string(),
})

export interface Operation {
  readonly pubKey: string | undefined
  readonly operation: string | undefined
  readonly method: string
  readonly path: string
  readonly domain: string
  readonly now: number
}

/** @returns the account's address, or why the order is refused */
export function verifyOperation(order: Operation): { address: string } | { refused: string } {
  try {
    const vouched = SignedPubKey.parse(JSON.parse(order.pubKey ?? ''))
    const raw = Buffer.from(vouched.payload, 'hex')
    const key = PubKeyPayload.parse(JSON.parse(raw.toString('utf8')))
    if (Date.parse(key.expires) < order.now) return { refused: 'Token expired' }
    if (signerOf(raw, vouched.signature) !== key.address.toLowerCase()) return { refused: 'Invalid signature' }
    const signed = SignedOperation.parse(JSON.parse(order.operation ?? ''))
    const operation = OperationPayload.parse(JSON.parse(Buffer.from(signed.payload, 'hex').toString('utf8')))
    if (key.domain !== order.domain || operation.domain !== order.domain) return { refused: 'Invalid domain' }
    if (operation.path !== order.path) return { refused: 'Invalid path' }
    if (operation.method !== order.method) return { refused: 'Invalid method' }
    if (Math.abs(Date.parse(operation.time) - order.now) > CLOCK_SKEW_MS) return { refused: 'Token expired' }
    const isSigned = verify(
      'sha256',
      Buffer.from(signed.payload, 'hex'),
      { key: createPublicKey({ key: key.pubkey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signed.signature, 'hex'),
    )
    return isSigned ? { address: key.address } : { refused: 'Invalid signature' }
  } catch {
    return { refused: 'Invalid token format' }
  }
}
