/**
 * Orders to a node about an instance of ours, signed as its operator wants them (aleph-vm, `doc/operator_auth.md`): the account
 * vouches for a key that lives as long as the call, and that key signs the call.
 */
import { signText } from './sign-message.ts'

const CONTROL_LIMIT_MS = 30_000
const KEY_LIFETIME_MS = 10 * 60_000

/** @returns whether the node did it; a node that is gone or knows the instance no more has nothing to erase */
export async function eraseInstance(order: {
  privateKey: string
  crnUrl: string
  itemHash: string
  nowMs: number
}): Promise<boolean> {
  const url = new URL(`/control/machine/${order.itemHash}/erase`, order.crnUrl)
  const response = await fetch(url, {
    method: 'POST',
    headers: await controlHeaders(order.privateKey, { method: 'POST', url, nowMs: order.nowMs }),
    signal: AbortSignal.timeout(CONTROL_LIMIT_MS),
  })
  await response.body?.cancel()
  return response.ok || response.status === 404
}

export async function controlHeaders(
  privateKey: string,
  { method, url, nowMs }: { method: string; url: URL; nowMs: number },
): Promise<Record<string, string>> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey)
  const domain = url.hostname
  const { address, sign } = await signText(privateKey)
  const pubkeyPayload = JSON.stringify({
    pubkey: { kty, crv, x, y },
    alg: 'ECDSA',
    domain,
    address,
    expires: new Date(nowMs + KEY_LIFETIME_MS).toISOString(),
    chain: 'ETH',
  })
  const operation = JSON.stringify({ time: new Date(nowMs).toISOString(), method, path: url.pathname, domain })
  const bytes = new TextEncoder().encode(operation)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, bytes)
  return {
    'X-SignedPubKey': JSON.stringify({
      sender: address,
      payload: hex(new TextEncoder().encode(pubkeyPayload)),
      signature: await sign(pubkeyPayload),
      content: { domain },
    }),
    'X-SignedOperation': JSON.stringify({ payload: hex(bytes), signature: hex(new Uint8Array(signature)) }),
  }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
