import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares hashes, so that neither content nor length of the expected value shows in the time it takes. */
export function equalInConstantTime(given: string, expected: string): boolean {
  const hash = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(hash(given), hash(expected))
}
