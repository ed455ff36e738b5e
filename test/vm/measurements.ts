/** What the steps took, as multiples of one command in the same guest: that is what says something about other machines. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../local/settings.ts'
import type { Answer } from './runner-process.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** Shell arithmetic and hashing: about 0.3 s on a machine that is not emulated. */
const REFERENCE_COMMAND = 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; head -c 20000000 /dev/zero | sha256sum'

export class Measurements {
  readonly #rows: Record<string, object> = {}

  /** What the runner's call took, right after the reference command: the host may be busier than a minute ago. */
  async measure(name: string, vm: VirtualMachine, work: () => Promise<Answer>): Promise<Answer> {
    const { value, ...times } = await besideReference(vm, work)
    const { result, lines } = value
    this.#rows[name] = {
      ...times,
      round_trips: result?.round_trips,
      bytes_sent: result?.bytes_sent,
      steps_ms: Object.fromEntries(lines.filter(({ status }) => status === 'ok').map(({ step, ms }) => [step, ms])),
    }
    return value
  }

  /** The same for work of several calls. */
  async time(name: string, vm: VirtualMachine, work: () => Promise<void>): Promise<void> {
    const { ms, ratio, reference_ms } = await besideReference(vm, work)
    this.#rows[name] = { ms, ratio, reference_ms }
  }

  async save(): Promise<void> {
    const text = JSON.stringify(this.#rows, null, 2)
    await mkdir(join(ROOT, '.data'), { recursive: true })
    await writeFile(join(ROOT, '.data', 'vm-bench.json'), `${text}\n`)
    console.log(text)
  }
}

async function besideReference<T>(vm: VirtualMachine, work: () => Promise<T>) {
  const { ms: reference_ms } = await timed(() => vm.sh(REFERENCE_COMMAND))
  const { ms, value } = await timed(work)
  return { ms, ratio: Math.round((ms / reference_ms) * 100) / 100, reference_ms, value }
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const startedAt = performance.now()
  const value = await work()
  return { ms: Math.round(performance.now() - startedAt), value }
}
