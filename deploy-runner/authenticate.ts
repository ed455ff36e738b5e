/**
 * Who may call: the holder of the Worker's signing key, within a minute, once, with exactly this body. Why a call was refused
 * is not told to the caller.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { RUNNER_AUDIENCE, RUNNER_ISSUER, RUNNER_TOKEN_LIFETIME_S } from './protocol.ts'

/** Clocks of the Worker and this host may differ this much. */
const CLOCK_TOLERANCE_S = 5
/** More tokens than this in one minute are no honest caller; the oldest are forgotten only once they have expired. */
const MAX_REMEMBERED = 10_000

export type Authenticate = (authorization: string | undefined, body: Uint8Array) => Promise<boolean>

export function createAuthenticate(publicKey: object, now: () => number = Date.now): Authenticate {
  const key = keyFinder(publicKey)
  const used = new Map<string, number>()

  return async (authorization, body) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1]
    if (!token) return false
    try {
      const { payload } = await jwtVerify(token, await key, {
        algorithms: ['EdDSA', 'Ed25519'],
        issuer: RUNNER_ISSUER,
        audience: RUNNER_AUDIENCE,
        maxTokenAge: RUNNER_TOKEN_LIFETIME_S,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['jti', 'exp', 'iat', 'body'],
        currentDate: new Date(now()),
      })
      const { jti = '', exp = 0, iat = 0, body: bodyHash } = payload
      if (exp - iat > RUNNER_TOKEN_LIFETIME_S || typeof bodyHash !== 'string' || jti.length < 8) return false
      if (!sameHash(bodyHash, body)) return false
      return useOnce(jti, exp)
    } catch {
      return false
    }
  }

  function useOnce(jti: string, exp: number): boolean {
    const seconds = now() / 1000
    for (const [id, expiry] of used) if (expiry + CLOCK_TOLERANCE_S < seconds) used.delete(id)
    if (used.has(jti) || used.size >= MAX_REMEMBERED) return false
    used.set(jti, exp)
    return true
  }
}

async function keyFinder(publicKey: object): Promise<JWTVerifyGetKey> {
  if ('keys' in publicKey) return createLocalJWKSet(publicKey as { keys: JWK[] })
  const imported = await importJWK(publicKey as JWK, 'EdDSA')
  return async () => imported as CryptoKey
}

function sameHash(claimed: string, body: Uint8Array): boolean {
  const actual = Buffer.from(createHash('sha256').update(body).digest('base64url'))
  const given = Buffer.from(claimed)
  return actual.length === given.length && timingSafeEqual(actual, given)
}
