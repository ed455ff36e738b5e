/** Who may call, and what a caller sees that does not behave. */
import { generateKeyPairSync } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { type ServerType, serve } from '@hono/node-server'
import { importJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../local/sqld.ts'
import { createAuthenticate } from './authenticate.ts'
import { RunnerRefusal } from './protocol.ts'
import { publicHalfOf } from './ssh-key-pair.ts'
import { RunnerUnderTest, type TestMachine, type TokenChanges } from './testing/runner-under-test.ts'

let runner: RunnerUnderTest
let machine: TestMachine

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
  machine = await runner.powerOn()
})
afterAll(() => runner.stop())

describe('a call', () => {
  test.each<[string, TokenChanges]>([
    ['signed by another key', { key: generateKeyPairSync('ed25519').privateKey }],
    ['that has expired', { issuedAt: Math.floor(Date.now() / 1000) - 120 }],
    ['that would be good for longer than a minute', { lifetimeS: 3600 }],
    ['from the future', { issuedAt: Math.floor(Date.now() / 1000) + 600 }],
    ['for another audience', { audience: 'someone-else' }],
    ['of another issuer', { issuer: 'someone-else' }],
    ['without an id', { jti: '' }],
    ['whose body was altered', { signedBody: '{}' }],
  ])('%s is refused and nothing is done', async (_, changes) => {
    runner.logged.length = 0
    const response = await runner.post('/machines/deploy', JSON.stringify(machine.deployment()), changes)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: 'unauthorized' })
    expect(runner.logged).toEqual([])
    expect(await readdir(machine.home)).toEqual(['.ssh'])
  })

  test('is good once', async () => {
    const body = JSON.stringify({ target: machine.target() })
    const first = await runner.post('/machines/probe', body, { jti: 'used-only-once' })
    await first.text()
    const second = await runner.post('/machines/probe', body, { jti: 'used-only-once' })
    expect([first.status, second.status]).toEqual([200, 401])
  })

  test('that a former process may have taken is signed anew with the name of this one', async () => {
    const restarted = await runner.build({ startedAt: Date.now() })
    const body = JSON.stringify({ target: machine.target() })
    const refused = await runner.post(
      '/machines/probe',
      body,
      { issuedAt: Math.floor(Date.now() / 1000) - 2 },
      restarted,
    )
    const { run } = RunnerRefusal.parse(await refused.json())
    const taken = await runner.post('/machines/probe', body, run ? { run } : {}, restarted)
    await taken.text()
    expect([refused.status, taken.status]).toEqual([401, 200])
  })

  test('without a token, or with one of another kind, is refused', async () => {
    const send = (authorization?: string) =>
      runner.app.request('/machines/probe', {
        method: 'POST',
        body: '{}',
        ...(authorization ? { headers: { authorization } } : {}),
      })
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"iss":"baal-worker"}')}.`
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer ', `Bearer ${unsigned}`, 'Bearer a.b.c'])
      expect((await send(authorization)).status).toBe(401)
  })

  test('with a body that is not as it should be names what is wrong, never a value', async () => {
    const answer = await runner.call('/machines/deploy', {
      target: machine.target(),
      secrets: { agent_secret: 'planted' },
    })
    expect(answer.error).toMatchObject({ code: 'bad_request' })
    expect(answer.raw).not.toContain('planted')
  })

  test('with a body beyond all measure is refused unread', async () => {
    expect((await runner.post('/machines/deploy', 'x'.repeat(300_000))).status).toBe(401)
  })

  test('of a stranger has no body read at all', async () => {
    let read = 0
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new Uint8Array(++read)) },
      { highWaterMark: 0 },
    )
    const request = { method: 'POST', body, duplex: 'half', headers: { authorization: 'Bearer a.b.c' } }
    expect((await runner.app.request('/machines/deploy', request)).status).toBe(401)
    expect(read).toBe(0)
  })

  test('to a route that is not there is a 404, and health needs no key and tells no secret', async () => {
    expect((await runner.app.request('/machines', { method: 'POST' })).status).toBe(404)
    const health = await runner.app.request('/health')
    expect(await health.json()).toEqual({
      status: 'ok',
      protocol: 1,
      agent_version: expect.stringMatching(/^[0-9a-f]{12}$/),
      ssh_public_key: publicHalfOf(runner.sshKeys.private),
      node_version: process.version,
    })
  })
})

test('while keys are rotated, calls signed with either are taken', async () => {
  const pairs = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const keys = pairs.map(({ publicKey }) => publicKey.export({ format: 'jwk' }))
  const authenticate = await createAuthenticate({ keys }, { startedAt: 0 })
  for (const { privateKey } of pairs) {
    const token = await new SignJWT({ body: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer('baal-worker')
      .setAudience('deploy-runner')
      .setIssuedAt()
      .setExpirationTime('30s')
      .setJti(crypto.randomUUID())
      .sign(await importJWK(privateKey.export({ format: 'jwk' }), 'EdDSA'))
    expect(await authenticate(`Bearer ${token}`, new Uint8Array())).toBe(true)
  }
})

test('a caller that leaves ends the work on its machine', async () => {
  runner.logged.length = 0
  const server = await new Promise<ServerType>((resolve) => {
    const started = serve({ fetch: runner.app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  const address = server.address()
  const body = JSON.stringify({ target: machine.target(await freePort()), wait_ms: 600_000 })
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/machines/probe`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${await runner.token(body)}` },
    signal: leaving.signal,
  })
  await response.body?.getReader().read()
  expect(runner.logged).toEqual([])
  leaving.abort()
  await expect.poll(() => runner.logged.join(), { timeout: 10_000 }).toContain('"call_failed"')
  server.close()
})
