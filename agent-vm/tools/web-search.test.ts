import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeRunner } from './tool-runner.fixture.ts'

describe('web_search', () => {
  test('asks the platform with the bearer and shows fenced results', async () => {
    const asked: unknown[] = []
    const { run } = await searchRunner(
      200,
      {
        results: [
          { title: 'Tide', url: 'https://a.example/', description: 'High at 6', age: 1 },
          { url: 'https://b.example/' },
        ],
      },
      asked,
    )
    const result = await run('web_search', { query: 'tide times', count: 2 })
    expect(asked).toEqual([['POST', 'Bearer scoped-key', { query: 'tide times', count: 2 }]])
    expect(result.summary).toBe('searched the web for tide times (2 found)')
    expect(result.content).toMatch(
      /<untrusted [0-9a-f]{16}>\n1\. Tide\n {3}https:\/\/a\.example\/\n {3}High at 6\n2\. /,
    )
  })

  test('says what a refusal means', async () => {
    for (const [status, text] of [
      [429, 'limit'],
      [403, 'not allowed'],
      [501, 'not set up'],
      [502, 'answered 502'],
    ] as const) {
      const { run } = await searchRunner(status, {}, [])
      const result = await run('web_search', { query: 'x' })
      expect(result.ok).toBe(false)
      expect(result.content).toContain(text)
    }
  })

  test('an answer of another shape and a dead service are errors the model can act on', async () => {
    const { run } = await searchRunner(200, { unexpected: true }, [])
    expect((await run('web_search', { query: 'x' })).ok).toBe(false)
    const dead = await makeRunner({ search: { url: 'http://127.0.0.1:1/v1/search', key: 'k' } })
    expect((await dead.run('web_search', { query: 'x' })).content).toContain('did not work')
  })

  test('the bearer does not travel on with a redirect', async () => {
    const asked: unknown[] = []
    const { run } = await searchRunner(307, {}, asked, { location: '/elsewhere' })
    expect((await run('web_search', { query: 'x' })).ok).toBe(false)
    expect(asked).toHaveLength(1)
  })
})

async function searchRunner(status: number, body: unknown, asked: unknown[], headers: Record<string, string> = {}) {
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).join('')
    asked.push([request.method, request.headers.authorization, JSON.parse(text)])
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return makeRunner({ search: { url: `http://127.0.0.1:${port}/v1/search`, key: 'scoped-key' } })
}
