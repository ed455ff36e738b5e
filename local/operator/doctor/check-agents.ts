import { asc, notInArray } from 'drizzle-orm'
import { AgentHealth } from '../../../agent-vm/protocol.ts'
import type { Agent } from '../../../functions/database/agents.ts'
import type { Database } from '../../../functions/database/database.ts'
import { agents } from '../../../functions/database/schema.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('agent')
const CALL_LIMIT_MS = 10_000
const AT_ONCE = 20

/** @param newest version of the agent server that the runner would install now */
export async function checkAgents(database: Database, newest: string | undefined): Promise<Finding[]> {
  const alive = await database
    .select()
    .from(agents)
    .where(notInArray(agents.status, ['deleting', 'deleted']))
    .orderBy(asc(agents.createdAt))
  const findings: Finding[] = []
  for (let from = 0; from < alive.length; from += AT_ONCE) {
    const some = alive.slice(from, from + AT_ONCE)
    findings.push(...(await Promise.all(some.map((agent) => checkAgent(agent, newest)))))
  }
  return findings
}

/** Agents are named by id: names are their owners' words. */
async function checkAgent({ id, status, url }: Agent, newest: string | undefined): Promise<Finding> {
  if (status === 'creating') return ok(`${id} is being created`)
  if (status === 'failed')
    return warn(`${id} could not be set up`, 'Its owner has a button to try again; /doctor in the chat says why.')
  try {
    const response = await fetch(new URL('/health', url ?? ''), { signal: AbortSignal.timeout(CALL_LIMIT_MS) })
    const { version, uptime_s: uptimeS } = AgentHealth.parse(await response.json())
    if (newest && version !== newest)
      return warn(`${id} answers, version ${version}; newest is ${newest}`, 'Its owner may /update it.')
    return ok(`${id} answers, version ${version}, up for ${Math.floor(uptimeS / 3600)} h`)
  } catch {
    return fail(`${id} does not answer`, 'Its owner can /repair it; its machine is in the machines table.')
  }
}
