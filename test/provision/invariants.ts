/** What must hold once everything has come to rest: no row without its machine's fate, no instance without a row. */
import { findMachine } from '../../functions/database/machines.ts'
import { agents, deployments, machines } from '../../functions/database/schema.ts'
import type { World } from './world.ts'

/** @returns every breach, in words */
export async function findBreaches(world: World): Promise<string[]> {
  return [
    ...world.violations,
    ...world.platform.broken.map((what) => `a Workflow broke: ${what}`),
    ...(await rowBreaches(world)),
    ...(await instanceBreaches(world)),
    ...(await agentBreaches(world)),
    ...portBreaches(world),
  ]
}

async function rowBreaches({ database, aleph, park }: World): Promise<string[]> {
  const breaches: string[] = []
  for (const row of await database.select().from(machines)) {
    const status = row.itemHash ? aleph.network.look(row.itemHash)?.status : undefined
    const name = `machine ${row.id} (${row.state})`
    if (row.state === 'gone') {
      if (status === 'processed' || status === 'pending') breaches.push(`${name}: its instance is ${status}`)
    } else if (row.state === 'in_use' || row.state === 'warm') {
      if (row.kind === 'aleph' && status !== 'processed')
        breaches.push(`${name}: its instance is ${status ?? 'unknown'}`)
      const disk = park.at(row.sshPort ?? 0)
      if (row.state === 'warm' && disk?.agentId) breaches.push(`${name}: it carries the secrets of ${disk.agentId}`)
      if (row.state === 'warm' && disk && !disk.isPrepared) breaches.push(`${name}: it is not prepared`)
    } else breaches.push(`${name}: it has no fate`)
  }
  return breaches
}

async function instanceBreaches({ database, aleph }: World): Promise<string[]> {
  const rows = await database.select().from(machines)
  return aleph.network
    .instances()
    .filter(({ status }) => status === 'processed' || status === 'pending')
    .map(({ envelope }) => envelope.item_hash)
    .filter((hash) => rows.filter(({ itemHash, state }) => itemHash === hash && state !== 'gone').length !== 1)
    .map((hash) => `instance ${hash} has no row`)
}

async function agentBreaches({ database, park, ports }: World): Promise<string[]> {
  const breaches: string[] = []
  const rows = await database.select().from(machines)
  const running = (await database.select().from(deployments)).filter(({ status }) => status === 'running')
  breaches.push(...running.map(({ id, step }) => `deployment ${id} never ended (${step})`))
  const failedWithoutReason = (await database.select().from(deployments)).filter(
    ({ status, errorCode }) => status === 'failed' && !errorCode,
  )
  breaches.push(...failedWithoutReason.map(({ id }) => `deployment ${id} failed without a reason`))
  for (const agent of await database.select().from(agents)) {
    const own = rows.filter(({ agentId, state }) => agentId === agent.id && state !== 'gone')
    if (own.length > 1) breaches.push(`agent ${agent.id} has ${own.length} machines`)
    if (agent.status === 'deleting') breaches.push(`agent ${agent.id} is never gone`)
    if (agent.status === 'deleted' && own.length > 0) breaches.push(`agent ${agent.id} is deleted and has a machine`)
    if (agent.status !== 'running') continue
    const machine = agent.machineId ? await findMachine(database, agent.machineId) : undefined
    if (machine?.state !== 'in_use' || machine.agentId !== agent.id) breaches.push(`agent ${agent.id} runs nowhere`)
    // One without power waits for its owner to press "Repair".
    else if (park.at(machine.sshPort ?? 0)?.isOn === false) continue
    else if (park.at(machine.sshPort ?? 0)?.agentId !== agent.id)
      breaches.push(`agent ${agent.id} is not on its machine`)
    else if (!(await ports.agents.health(agent.url ?? ''))) breaches.push(`agent ${agent.id} does not answer`)
  }
  return breaches
}

/** Entries of instances that are gone make the aggregate grow for ever. */
function portBreaches({ aleph }: World): string[] {
  const [instance] = aleph.network.instances()
  const entries = instance ? aleph.network.aggregate(instance.envelope.sender, 'port-forwarding') : undefined
  return Object.entries(entries ?? {})
    .filter(([hash, entry]) => entry !== null && aleph.network.look(hash)?.status !== 'processed')
    .map(([hash]) => `ports of ${hash} are still forwarded`)
}
