/**
 * Keys at rest: JWE compact, `dir` + A256GCM. The protected header carries the key id and what the record is, so a sealed
 * value copied into another row does not open.
 */
import { base64url, CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose'
import type { Config } from './config.ts'

/** What is sealed and for whom, e.g. `{ what: 'agent-secret', id: agentId }`. */
export interface SealContext {
  readonly what: 'agent-secret' | 'inference-key' | 'user-key' | 'link-token' | 'typed-key'
  readonly id: string
}

export class SealBroken extends Error {
  readonly code = 'seal_broken'
}

export interface Seal {
  seal(plaintext: string, context: SealContext): Promise<string>
  /** @throws {SealBroken} for another key, another record or an altered value; the message never shows any of them */
  open(sealed: string, context: SealContext): Promise<string>
  /** Whether it was sealed with the present key. */
  isCurrent(sealed: string): Promise<boolean>
}

/** The seal of this installation: seals with the present key, opens what former ones have sealed. */
export function sealFor(config: Pick<Config, 'BOT_ENCRYPTION_KEY' | 'BOT_ENCRYPTION_KEY_FORMER'>): Seal {
  return createSeal(config.BOT_ENCRYPTION_KEY, config.BOT_ENCRYPTION_KEY_FORMER)
}

/**
 * @param currentKey 32 bytes as base64url; what is sealed from now on
 * @param formerKeys keys that may still open older records
 */
export function createSeal(currentKey: string, formerKeys: readonly string[] = []): Seal {
  const current = importKey(currentKey)
  const keys = Promise.all([current, ...formerKeys.map(importKey)])

  return {
    async seal(plaintext, context) {
      const { id, bytes } = await current
      return new CompactEncrypt(new TextEncoder().encode(plaintext))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id, ctx: describe(context) })
        .encrypt(bytes)
    },

    async open(sealed, context) {
      try {
        const { kid } = decodeProtectedHeader(sealed)
        const key = (await keys).find(({ id }) => id === kid)
        if (!key) throw new SealBroken(`no key with id ${kid}`)
        const { plaintext, protectedHeader } = await compactDecrypt(sealed, key.bytes, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        })
        if (protectedHeader.ctx !== describe(context)) throw new SealBroken(`not a sealed ${describe(context)}`)
        return new TextDecoder().decode(plaintext)
      } catch (cause) {
        if (cause instanceof SealBroken) throw cause
        throw new SealBroken(`cannot open ${describe(context)}`, { cause })
      }
    },

    async isCurrent(sealed) {
      const { id } = await current
      try {
        return decodeProtectedHeader(sealed).kid === id
      } catch (cause) {
        throw new SealBroken('not a sealed value', { cause })
      }
    },
  }
}

function describe({ what, id }: SealContext): string {
  return `${what}:${id}`
}

async function importKey(key: string): Promise<{ id: string; bytes: Uint8Array }> {
  const bytes = Uint8Array.from(base64url.decode(key))
  if (bytes.length !== 32) throw new SealBroken('an encryption key must be 32 bytes as base64url')
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  // The id names a key without telling anything of use about it: 48 bits of its hash.
  return { id: base64url.encode(new Uint8Array(digest).subarray(0, 6)), bytes }
}
