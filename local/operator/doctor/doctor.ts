/** Looks at everything that Baal needs, in the order in which one thing needs the other. Changes nothing. */
import { openDatabase } from '../../../functions/database/database.ts'
import type { Values } from '../production-values.ts'
import { checkAgents } from './check-agents.ts'
import { checkAleph } from './check-aleph.ts'
import { checkConfig } from './check-config.ts'
import { checkDatabase } from './check-database.ts'
import { checkKeys } from './check-keys.ts'
import { checkMachines } from './check-machines.ts'
import { checkModel } from './check-model.ts'
import { checkNode } from './check-node.ts'
import { checkRunner } from './check-runner.ts'
import { checkTelegram } from './check-telegram.ts'
import { checkWorker } from './check-worker.ts'
import type { Finding } from './finding.ts'

/** @param source the file that the values come from */
export async function examine(values: Values, source: string, nodeVersion = process.version): Promise<Finding[]> {
  const { findings, config } = checkConfig(values, source)
  const first = [...checkNode(nodeVersion), ...findings]
  // What follows would only repeat what the configuration lacks.
  if (!config) return [...first, ...(await checkDatabase(values))]
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const [stored, telegram, worker, model, aleph, runner] = await Promise.all([
    checkDatabase(values),
    checkTelegram(config),
    checkWorker(config),
    checkModel(config),
    checkAleph(config, database),
    checkRunner(config),
  ])
  const hasTables = stored.every(({ status }) => status === 'ok')
  const keys = await checkKeys(config, values, hasTables ? database : undefined)
  const machines = hasTables ? await checkMachines(database) : []
  const agents = hasTables ? await checkAgents(database, runner.agentVersion) : []
  const parts = [stored, keys, telegram, worker, model, aleph, runner.findings, machines, agents]
  return [...first, ...parts.flat()]
}

export function render(findings: readonly Finding[]): string {
  const marks = { ok: 'ok  ', warn: 'look', fail: 'FAIL' } as const
  return findings
    .map(
      ({ part, status, line, whatToDo }) =>
        `${marks[status]}  ${part.padEnd(10)}${line}${whatToDo ? ` → ${whatToDo}` : ''}`,
    )
    .join('\n')
}
