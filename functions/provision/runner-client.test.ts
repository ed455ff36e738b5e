import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { RunnerLine } from '../../deploy-runner/protocol.ts'
import { deepJson, Fuzzer, streamOf } from '../../test/fuzz/fuzzer.ts'
import type { Bindings } from '../bindings.ts'
import type { Config } from '../config.ts'
import { blamesMachine, ProvisionFailure } from './provision-failure.ts'
import { openRunner, runnerHealth, runnerLines } from './runner-client.ts'

const LINES = [
  { step: 'connect', status: 'start', ms: 0 },
  { step: 'a step of next year', status: 'ok', ms: 12.5, detail: 'grün 🧩' },
  { result: { reachable: true, host_key: 'ssh-ed25519 AAAA', os: 'Debian', mode: 'systemd', changed: [] } },
  { error: { code: 'a code of next year', step: 'x', message: 'y' } },
  { of_next_year: true },
]
const encode = (lines: readonly unknown[]) =>
  new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
const read = (chunks: readonly Uint8Array[]) => Array.fromAsync(runnerLines(streamOf(chunks)))

describe('the lines of the deploy-runner', () => {
  test('are read the same wherever the network cuts; strange ones are skipped', async () => {
    const bytes = encode(LINES)
    const whole = await read([bytes])
    expect(whole).toHaveLength(4)
    const fuzzer = new Fuzzer(1)
    for (let round = 0; round < 50; round++) expect(await read(fuzzer.cut(bytes))).toEqual(whole)
  })

  test('are lines of the protocol or nothing, whatever comes', async () => {
    const fuzzer = new Fuzzer(2)
    for (let round = 0; round < 500; round++) {
      const lines = LINES.map((line) => fuzzer.mangleJson(line))
      const bytes = fuzzer.random() < 0.5 ? encode(lines) : fuzzer.mangleBytes(encode(lines))
      for (const line of await read(fuzzer.cut(bytes, 64))) expect(RunnerLine.parse(line)).toEqual(line)
    }
    expect(await read([new TextEncoder().encode(`${deepJson(30_000)}\n`)])).toEqual([])
  })

  test('never fill the memory: one that does not end is the end', async () => {
    const piece = new TextEncoder().encode('x'.repeat(10))
    await expect(read(Array.from({ length: 10_000 }, () => piece))).rejects.toThrow(ProvisionFailure)
    await expect(read([new TextEncoder().encode(`${'x'.repeat(1_000_000)}\n`)])).rejects.toThrow(ProvisionFailure)
  })
})

describe('a call', () => {
  const key = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
  const target = { host: '192.0.2.7', port: 22 }

  /** What a runner answers, call by call. @returns the claims of each */
  async function answered(answers: readonly Response[]) {
    const claims: Record<string, unknown>[] = []
    const env = {
      RUNNER: {
        getByName: () => ({
          fetch: async (request: Request) => {
            claims.push(decodeJwt(request.headers.get('authorization')?.slice(7) ?? ''))
            return answers[claims.length - 1] ?? expect.fail('called too often')
          },
        }),
      },
    } as unknown as Bindings
    const runner = openRunner({ config: { WORKER_SIGNING_KEY: key } as Config, env })
    const outcome = await runner.probe({ target }).catch((error: unknown) => error)
    return { claims, outcome }
  }
  const lines = (...all: readonly object[]) => new Response(encode(all))
  const report = { reachable: true, host_key: 'ssh-ed25519 AAAA', os: 'Debian', mode: 'systemd', changed: [] }

  test('is signed anew, once, for a runner that has just started', async () => {
    const asking = () => Response.json({ error: 'unauthorized', run: 'run-7' }, { status: 401 })
    const { claims, outcome } = await answered([asking(), lines({ result: report })])
    expect(outcome).toEqual(report)
    expect(claims.map(({ run }) => run)).toEqual([undefined, 'run-7'])
    expect(claims[0]?.jti).not.toBe(claims[1]?.jti)
    expect((await answered([asking(), asking()])).outcome).toMatchObject({ code: 'runner_unreachable' })
  })

  test('that is refused is not repeated', async () => {
    const refused = [Response.json({ error: 'unauthorized' }, { status: 401 })]
    expect((await answered(refused)).outcome).toMatchObject({ code: 'runner_unreachable' })
  })

  test('that the runner is too old for, or whose signature it refuses, says so', async () => {
    expect((await answered([new Response('', { status: 404 })])).outcome).toMatchObject({ code: 'runner_outdated' })
    const refused = (await answered([new Response('', { status: 401 })])).outcome
    expect(refused).toMatchObject({ code: 'runner_unreachable', message: expect.stringContaining('keys or clocks') })
  })

  test('that was rolled back says what runs and why, and is not the machine’s fault', async () => {
    const error = { code: 'unhealthy', step: 'health', message: 'no moon', rolled_back_to: 'abcdef012345' }
    const { outcome } = await answered([lines({ error })])
    expect(outcome).toMatchObject({
      code: 'rolled_back',
      message: 'unhealthy at health, version abcdef012345 runs again: no moon',
    })
    expect(blamesMachine(outcome)).toBe(false)
  })
})

test('the container is another one for other keys: it would go on with those that it was started with', async () => {
  const asked: string[] = []
  const env = {
    RUNNER: {
      getByName(name: string) {
        asked.push(name)
        return {
          fetch: async () => Response.json({ status: 'ok', protocol: 1, agent_version: 'a', node_version: 'v' }),
        }
      },
    },
  } as unknown as Bindings
  const keys = { WORKER_SIGNING_KEY: '{"x":"one"}', ALEPH_SSH_PUBKEY: 'ssh-ed25519 one' }
  for (const changed of [{}, {}, { WORKER_SIGNING_KEY: '{"x":"two"}' }, { ALEPH_SSH_PUBKEY: 'ssh-ed25519 two' }])
    await runnerHealth({ ...keys, ...changed } as Config, env)
  expect([asked[0] === asked[1], new Set(asked).size]).toEqual([true, 3])
})
