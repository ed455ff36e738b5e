import { describe, expect, test } from 'vitest'
import { RunnerLine } from '../../deploy-runner/protocol.ts'
import { deepJson, Fuzzer, streamOf } from '../../test/fuzz/fuzzer.ts'
import { ProvisionFailure } from './provision-failure.ts'
import { runnerLines } from './runner-client.ts'

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
