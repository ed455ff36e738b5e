/** Agent servers as provisioning calls them: is it there, give me all you have, take all this. */
import { AgentHealth } from '../../agent-vm/protocol.ts'
import type { AgentAddress, AgentServers } from './provision-ports.ts'

const HEALTH_LIMIT_MS = 10_000
const CONFIG_LIMIT_MS = 15_000
/** A whole workspace goes through. */
const TRANSFER_LIMIT_MS = 5 * 60_000

export const agentServers: AgentServers = {
  async health(url) {
    try {
      const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) })
      return AgentHealth.safeParse(await response.json()).data
    } catch {
      return undefined
    }
  },

  async export(agent) {
    if (!(await agentServers.health(agent.url))) return undefined
    const response = await call(agent, '/export', { signal: AbortSignal.timeout(TRANSFER_LIMIT_MS) })
    return response.body ?? undefined
  },

  async import(agent, archive) {
    await finish(
      call(agent, '/import', {
        method: 'POST',
        headers: { 'content-type': 'application/gzip' },
        body: archive,
        signal: AbortSignal.timeout(TRANSFER_LIMIT_MS),
      }),
    )
  },

  async configure(agent, settings) {
    await finish(
      call(agent, '/config', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
        signal: AbortSignal.timeout(CONFIG_LIMIT_MS),
      }),
    )
  },
}

async function call({ url, secret }: AgentAddress, route: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${secret}`)
  const response = await fetch(new URL(route, url), { ...init, headers })
  if (response.ok) return response
  await response.body?.cancel()
  throw new Error(`${route} answered ${response.status}`)
}

async function finish(response: Promise<Response>): Promise<void> {
  await (await response).body?.cancel()
}
