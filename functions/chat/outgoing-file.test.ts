import { expect, test } from 'vitest'
import { AgentUnreachable } from './agent-client.ts'
import { type AgentFile, openOutgoingFile } from './outgoing-file.ts'

const FILE: AgentFile = { kind: 'agent_file', agentId: 'a', from: { path: 'a.bin' }, name: 'a.bin' }

test('a whole file passes through', async () => {
  expect(await bytesOf(new Blob(['four']).stream(), 4)).toBe(4)
})

test.each([
  ['breaks off', new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('reset')) })],
  ['ends too early', new Blob(['fou']).stream()],
  ['stops coming', new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) })],
])('one that %s is never taken for whole', async (_, body) => {
  await expect(bytesOf(body, 4)).rejects.toBeInstanceOf(AgentUnreachable)
})

async function bytesOf(body: ReadableStream<Uint8Array>, bytes: number): Promise<number> {
  const agent = { getFile: async () => ({ body, bytes }), exportAll: () => Promise.reject(new Error('not asked')) }
  const { content } = await openOutgoingFile(agent, FILE, { asDocument: false, stallMs: 50 })
  if (content instanceof Uint8Array) return content.byteLength
  let total = 0
  for await (const chunk of content) total += chunk.byteLength
  return total
}
