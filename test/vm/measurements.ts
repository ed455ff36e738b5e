/** What the steps took, as multiples of one command in the same guest: that is what says something about other machines. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../local/settings.ts'
import type { Answer } from './runner-process.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** Shell arithmetic and hashing: about 0.3 s on a machine that is not emulated. */
const REFERENCE_COMMAND = 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; head -c 20000000 /dev/zero | sha256sum'

export class Measurements {
  #referenceMs = 0
  readonly #rows: Record<string, object> = {}

  async reference(vm: VirtualMachine): Promise<void> {
    this.#referenceMs = (await timed(() => vm.sh(REFERENCE_COMMAND))).ms
  }

  async measure(name: string, work: () => Promise<Answer>): Promise<Answer> {
    const { ms, value } = await timed(work)
    const { result, lines } = value
    this.#rows[name] = {
      ms,
      ratio: Math.round((ms / this.#referenceMs) * 100) / 100,
      round_trips: result?.round_trips,
      bytes_sent: result?.bytes_sent,
      steps_ms: Object.fromEntries(lines.filter(({ status }) => status === 'ok').map(({ step, ms }) => [step, ms])),
    }
    return value
  }

  async time(name: string, work: () => Promise<void>): Promise<void> {
    const { ms } = await timed(work)
    this.#rows[name] = { ms, ratio: Math.round((ms / this.#referenceMs) * 100) / 100 }
  }

  async save(): Promise<void> {
    const text = JSON.stringify({ reference_ms: this.#referenceMs, ...this.#rows }, null, 2)
    await mkdir(join(ROOT, '.data'), { recursive: true })
    await writeFile(join(ROOT, '.data', 'vm-bench.json'), `${text}\n`)
    console.log(text)
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const startedAt = performance.now()
  const value = await work()
  return { ms: Math.round(performance.now() - startedAt), value }
}
