/** How many machines are to wait, as the operator has said. */
import type { Config } from '../config.ts'

/** A maximum that was left alone is no reason to have fewer than the minimum; one that was set below it is. */
export function poolSize({ POOL_MIN_SIZE, POOL_MAX_SIZE }: Pick<Config, 'POOL_MIN_SIZE' | 'POOL_MAX_SIZE'>) {
  const max = POOL_MAX_SIZE || POOL_MIN_SIZE
  return { min: Math.min(POOL_MIN_SIZE, max), max }
}
