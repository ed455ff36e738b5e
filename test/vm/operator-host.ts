/**
 * The machine as a host that the operator has registered (`/pool add`): the Worker's own provisioning, with a real database and
 * the real runner, in a time of its own; what it waits for outside is waited for.
 */
import { eq } from 'drizzle-orm'
import { registerHost } from '../../functions/database/machines-pool.ts'
import { machines } from '../../functions/database/schema.ts'
import { openRunner } from '../../functions/provision/runner-client.ts'
import { tendMachines } from '../../functions/provision/tend-machines.ts'
import { buildWorld, prepareGround } from '../provision/world.ts'
import { type AgentAddress, agentClient } from './agent-client.ts'
import type { RunnerProcess } from './runner-process.ts'
import type { VirtualMachine } from './virtual-machine.ts'

const ID = 'h-1'
const MINUTE_MS = 60_000

export interface OperatorHost {
  readonly agentId: string
  row(): Promise<typeof machines.$inferSelect | undefined>
  /** As cron does each minute. */
  tend(): Promise<void>
  create(): Promise<void>
  destroy(): Promise<void>
  close(): Promise<void>
}

export interface OperatorHostOptions extends AgentAddress {
  readonly vm: VirtualMachine
  readonly runner: RunnerProcess
  /** Where agents on the machine reach their model. */
  readonly publicUrl: string
}

export async function registerOperatorHost({
  vm,
  runner,
  publicUrl,
  ...address
}: OperatorHostOptions): Promise<OperatorHost> {
  const ground = await prepareGround()
  const world = await buildWorld(ground, {
    variables: { ...runner.variables, ALEPH_PRIVATE_KEY: '', PUBLIC_URL: publicUrl },
    outside: ({ config, agents }) => ({
      runner: openRunner({ config, env: {} as never }),
      agents: {
        ...agents,
        health: () => agentClient(vm, address).answers(),
      },
    }),
  })
  const { sshPort } = vm
  await registerHost(world.database, {
    ...{ id: ID, name: `127.0.0.1:${sshPort}`, sshHost: '127.0.0.1', sshPort, sshUser: 'root' },
    ...{ url: `https://${address.domain}`, now: world.clock.now },
  })
  const agentId = await world.giveAgent()
  const ask = async (kind: 'create' | 'destroy') => {
    await world.ask(agentId, kind)
    await world.platform.finish()
  }
  return {
    agentId,
    row: async () => (await world.database.select().from(machines).where(eq(machines.id, ID)))[0],
    async tend() {
      world.clock.now += MINUTE_MS
      await tendMachines('* * * * *', world.ports)
      await world.platform.finish()
    },
    create: () => ask('create'),
    destroy: () => ask('destroy'),
    async close() {
      await world.close()
      await ground.close()
    },
  }
}
