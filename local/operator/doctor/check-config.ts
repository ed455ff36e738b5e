import { type Config, ConfigError, parseConfig } from '../../../functions/config.ts'
import type { Values } from '../production-values.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('config')

/** @returns the configuration only when the Worker, too, would start with it */
export function checkConfig(values: Values, source: string): { findings: Finding[]; config?: Config } {
  try {
    const config = parseConfig({ ...values })
    return { findings: [ok(`${source}: every value is well-formed`), ...checkPool(config)], config }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { findings: error.message.split('\n').map((line) => fail(line, `Correct it in ${source}.`)) }
  }
}

function checkPool({ POOL_MIN_SIZE: min, POOL_MAX_SIZE: max }: Config): Finding[] {
  if (max === 0 || min <= max) return []
  return [warn(`POOL_MIN_SIZE is ${min}, but POOL_MAX_SIZE keeps ${max}`, 'Raise POOL_MAX_SIZE, or lower the other.')]
}
