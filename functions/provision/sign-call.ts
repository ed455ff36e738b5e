/** Signs a call to the deploy-runner: good for a minute, for one use, and for this body alone. */
import { importJWK, SignJWT } from 'jose'
import { RUNNER_AUDIENCE, RUNNER_ISSUER, RUNNER_TOKEN_LIFETIME_S, RunnerRefusal } from '../../deploy-runner/protocol.ts'

/** Signs and sends, and once more for a runner that has just started and asks for its `run` in the token. */
export async function sendSigned(
  { signingKey, body }: { signingKey: string; body: string },
  send: (authorization: string) => Promise<Response>,
): Promise<Response> {
  const response = await send(`Bearer ${await signCall(signingKey, body)}`)
  if (response.status !== 401) return response
  const refusal = RunnerRefusal.safeParse(
    await response
      .clone()
      .json()
      .catch(() => undefined),
  )
  const run = refusal.data?.run
  return run ? send(`Bearer ${await signCall(signingKey, body, run)}`) : response
}

async function signCall(signingKey: string, body: string, run?: string): Promise<string> {
  const jwk = JSON.parse(signingKey)
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
  return new SignJWT({ body: base64url(new Uint8Array(hash)), ...(run ? { run } : {}) })
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
