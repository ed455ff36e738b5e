/** Keys that nobody need be asked for: made once, then kept wherever they were made for. */
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { generateSshKeyPair } from '../deploy-runner/ssh-key-pair.ts'

export function makeWebhookSecret(): string {
  return randomBytes(24).toString('base64url')
}

export function makeAdminToken(): string {
  return randomBytes(24).toString('base64url')
}

/** 32 bytes: seals records at rest. */
export function makeEncryptionKey(): string {
  return randomBytes(32).toString('base64url')
}

/** Ed25519 private JWK on one line. Its key id tells two keys apart while one takes over from the other. */
export function makeSigningKey(): string {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return JSON.stringify({ ...jwk, alg: 'EdDSA', kid: randomBytes(6).toString('base64url') })
}

export function makeSshPair(): { readonly private: string; readonly public: string } {
  return generateSshKeyPair('baal')
}

/** The runner gets only what verifies, never what signs. */
export function publicHalfOf(privateJwk: string): Record<string, unknown> {
  const jwk = JSON.parse(privateJwk)
  const exported = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' })
  return { ...exported, alg: 'EdDSA', ...(jwk.kid ? { kid: jwk.kid } : {}) }
}
