import { type Config, ConfigError, parseConfig } from '../../../functions/config.ts'
import type { Values } from '../production-values.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('config')

/** @returns the configuration only when the Worker, too, would start with it */
export function checkConfig(values: Values, source: string): { findings: Finding[]; config?: Config } {
  try {
    const config = parseConfig({ ...values })
    return { findings: [ok(`${source}: every value is well-formed`)], config }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { findings: error.message.split('\n').map((line) => fail(line, `Correct it in ${source}.`)) }
  }
}
