import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { AgentRefused, AgentUnreachable, createAgentClient } from './agent-client.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

describe('what does not come from the agent itself', () => {
  test.each([
    ['a page of a gateway', 404, '<html>no such host</html>'],
    ['JSON of a gateway', 403, '{"detail":"forbidden"}'],
    ['a gateway that is asked too often', 429, '{"error":"slow down"}'],
    ['a machine that starts', 503, '{"error":"starting"}'],
  ])('%s does not count as a refusal', async (_, status, body) => {
    const agent = await agentThat((_request, response) => response.writeHead(status).end(body))
    await expect(agent.health()).rejects.toBeInstanceOf(AgentUnreachable)
  })

  test('a refusal in the agent’s own words does', async () => {
    const agent = await agentThat((_request, response) => response.writeHead(404).end('{"error":"not_found"}'))
    await expect(agent.getFile('gone.txt')).rejects.toBeInstanceOf(AgentRefused)
  })

  test('a disk that takes nothing is not taken for a machine that is away', async () => {
    const agent = await agentThat((_request, response) => response.writeHead(507).end('{"error":"storage"}'))
    await expect(agent.health()).rejects.toMatchObject({ code: 'agent_disk_full', status: 507 })
  })

  test('a turn that is refused with 409 for steering is no failure: nothing runs any more', async () => {
    const agent = await agentThat((_request, response) => response.writeHead(409).end('{"error":"no_turn"}'))
    expect(await agent.steer('42', 'more', 'u-1-2')).toBe(false)
  })
})

async function agentThat(answer: RequestListener) {
  const started = createServer(answer)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return createAgentClient({ url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, secret: 's' })
}
