/** Ids that look random and are the same whenever the same cause is handled again, after a crash for example. */
import { createHmac } from 'node:crypto'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 16

/** @param key secret, so that nobody can guess an id from the number of an update */
export function stableIds(key: string, chatName: string, cause: string): (purpose: string) => string {
  return (purpose) => {
    const digest = createHmac('sha256', key).update(`ids\n${chatName}\n${cause}\n${purpose}`).digest()
    // 16 of 36 letters from 32 bytes: the slight bias of the remainder leaves more than 80 bits.
    return Array.from(
      { length: LENGTH },
      (_, i) => ALPHABET[((digest[2 * i] ?? 0) * 256 + (digest[2 * i + 1] ?? 0)) % 36],
    ).join('')
  }
}
