/** Hostile input by a seed: the same on every machine, so that a round that fails can be run again. */
import { seededRandom } from '../../agent-vm/testing/seeded-random.ts'

/** What no honest sender writes where a value is expected. */
const ODD_VALUES: readonly unknown[] = [
  null, true, 0, -1, 0.5, 1e308, Number.MAX_SAFE_INTEGER, -0, '', ' ', '\0', '\ud800', '../../etc/passwd', '__proto__',
  'constructor', '\u202e', '🧩'.repeat(50), 'x'.repeat(5_000), [], {}, [[]], { __proto__: { id: 1 } }, { toString: 1 },
] // biome-ignore format: one glance

export class Fuzzer {
  readonly random: () => number

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  int(below: number): number {
    return Math.floor(this.random() * below)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)]!
  }

  /** Bytes changed, moved, doubled or cut off. */
  mangleBytes(bytes: Uint8Array): Uint8Array {
    const mangled = Uint8Array.from(bytes)
    for (let change = this.int(6); change >= 0; change--) {
      const at = this.int(mangled.length)
      if (this.random() < 0.6) mangled[at] = this.int(256)
      else mangled.copyWithin(at, this.int(mangled.length), this.int(mangled.length))
    }
    return this.random() < 0.2 ? mangled.subarray(0, this.int(mangled.length)) : mangled
  }

  /** In pieces as a network cuts them, empty ones too. */
  cut(bytes: Uint8Array, longest = 16): Uint8Array[] {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + this.int(longest)
      pieces.push(bytes.subarray(at, end))
      at = end
    }
    return pieces
  }

  /** A value of the same shape in which some parts are missing, doubled, or something else. */
  mangleJson(value: unknown): unknown {
    const chance = this.random()
    if (chance < 0.08) return this.pick(ODD_VALUES)
    if (Array.isArray(value)) {
      const parts = value.map((part) => this.mangleJson(part))
      return chance < 0.2 ? [...parts, ...parts] : parts
    }
    if (typeof value !== 'object' || value === null) return value
    const parts = Object.entries(value).filter(() => this.random() > 0.06)
    return Object.fromEntries(parts.map(([name, part]) => [name, this.mangleJson(part)]))
  }
}

/** JSON that is nested deeper than any reader's stack. */
export function deepJson(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

export function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[at++]
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
  })
}
