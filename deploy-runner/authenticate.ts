/**
 * Who may call: the holder of the Worker's signing key, within a minute, once, with exactly this body. Why a call was refused
 * is not told to the caller.
 *
 * Which tokens were used is known to this process alone: one that was issued before it started is not taken. Its holder, and
 * nobody else, learns how to make one that is (`run`): a container starts because of the call that it then cannot judge.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { importJWK, type JWK, type JWTPayload, jwtVerify } from 'jose'
import { RUNNER_AUDIENCE, RUNNER_ISSUER, RUNNER_TOKEN_LIFETIME_S } from './protocol.ts'

/** Clocks of the Worker and this host may differ this much. */
const CLOCK_TOLERANCE_S = 5
/** More tokens than this in one minute are no honest caller; they are forgotten once they have expired. */
const MAX_REMEMBERED = 10_000

export interface Authenticate {
  (authorization: string | undefined, body: Uint8Array): Promise<boolean>
  /**
   * What is to be said of the token without its body, because a stranger's body is not even read. `unclear`: it may have been
   * used before this process started.
   */
  look(authorization: string | undefined): Promise<'good' | 'unclear' | 'bad'>
  /** Names this process. */
  readonly run: string
}

export interface AuthenticateOptions {
  readonly now?: () => number
  /** Since when this process remembers which tokens were used. */
  readonly startedAt?: number
}

/**
 * @param publicKey a public Ed25519 JWK, or a JWK set while keys are rotated
 * @throws when a key cannot be used, so that the runner does not start with it
 */
export async function createAuthenticate(
  publicKey: object,
  { now = Date.now, startedAt = now() }: AuthenticateOptions = {},
): Promise<Authenticate> {
  const jwks = 'keys' in publicKey ? (publicKey.keys as JWK[]) : [publicKey as JWK]
  const keys = await Promise.all(jwks.map(async (jwk) => (await importJWK(jwk, 'EdDSA')) as CryptoKey))
  const used = new Map<string, number>()
  const run = randomUUID()

  const authenticate = async (authorization: string | undefined, body: Uint8Array) => {
    const claims = await read(authorization)
    return claims?.isOfThisRun === true && sameHash(claims.bodyHash, body) && useOnce(claims.jti, claims.exp)
  }
  const look = async (authorization: string | undefined) => {
    const claims = await read(authorization)
    if (!claims) return 'bad'
    return claims.isOfThisRun ? 'good' : 'unclear'
  }
  return Object.assign(authenticate, { look, run })

  async function read(authorization: string | undefined) {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1]
    const claims = token ? await verify(token) : undefined
    if (!claims) return undefined
    const { jti, exp = 0, body: bodyHash } = claims
    if (typeof jti !== 'string' || jti === '' || typeof bodyHash !== 'string') return undefined
    const latest = now() / 1000 + CLOCK_TOLERANCE_S
    const { iat = latest } = claims
    if (iat > latest || exp - iat > RUNNER_TOKEN_LIFETIME_S) return undefined
    const isOfThisRun = claims.run === undefined ? iat >= Math.floor(startedAt / 1000) : claims.run === run
    return { jti, exp, bodyHash, isOfThisRun }
  }

  async function verify(token: string): Promise<JWTPayload | undefined> {
    for (const key of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['EdDSA', 'Ed25519'],
          issuer: RUNNER_ISSUER,
          audience: RUNNER_AUDIENCE,
          clockTolerance: CLOCK_TOLERANCE_S,
          requiredClaims: ['jti', 'exp', 'body'],
          currentDate: new Date(now()),
        })
        return payload
      } catch {
        // Not this key, or not good at all: the caller is not told which.
      }
    }
    return undefined
  }

  function useOnce(jti: string, exp: number): boolean {
    const seconds = now() / 1000
    for (const [id, expiry] of used) if (expiry + CLOCK_TOLERANCE_S < seconds) used.delete(id)
    if (used.has(jti) || used.size >= MAX_REMEMBERED) return false
    used.set(jti, exp)
    return true
  }
}

function sameHash(claimed: string, body: Uint8Array): boolean {
  const actual = Buffer.from(createHash('sha256').update(body).digest('base64url'))
  const given = Buffer.from(claimed)
  return actual.length === given.length && timingSafeEqual(actual, given)
}
