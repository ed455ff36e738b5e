/** Signs a call to the deploy-runner: good for a minute, for one use, and for this body alone. */
import { importJWK, SignJWT } from 'jose'
import { RUNNER_AUDIENCE, RUNNER_ISSUER, RUNNER_TOKEN_LIFETIME_S } from '../../deploy-runner/protocol.ts'

export async function signCall(signingKey: string, body: string): Promise<string> {
  const jwk = JSON.parse(signingKey)
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
  return new SignJWT({ body: base64url(new Uint8Array(hash)) })
    .setProtectedHeader({ alg: 'EdDSA', ...(jwk.kid ? { kid: jwk.kid } : {}) })
    .setIssuer(RUNNER_ISSUER)
    .setAudience(RUNNER_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(`${RUNNER_TOKEN_LIFETIME_S}s`)
    .setJti(crypto.randomUUID())
    .sign(await importJWK(jwk, 'EdDSA'))
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}
