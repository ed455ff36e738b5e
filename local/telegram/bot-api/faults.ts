/** Trouble on order: what Telegram, or the way to it, does wrong now and then. */
import { z } from 'zod'
import { seededRandom } from '../../../agent-vm/testing/seeded-random.ts'
import type { Clock } from '../clock.ts'

const target = {
  /** Only calls of this method; any when absent. */
  method: z.string().optional(),
  chat_id: z.int().optional(),
  /** How often at most; without an end when absent. */
  times: z.int().positive().optional(),
  /** How many matching calls pass unharmed before the first. */
  skip: z.int().min(0).default(0),
  /** Chance per matching call; drawn from `seed`, so that a run can be repeated. */
  probability: z.number().min(0).max(1).default(1),
  seed: z.int().default(1),
}

export const Fault = z.discriminatedUnion('kind', [
  /** Flood control that silences the chat for so long. */
  z.strictObject({ ...target, kind: z.literal('flood'), retry_after: z.int().positive() }),
  /** An HTTP error without a JSON body, as from a proxy. */
  z.strictObject({ ...target, kind: z.literal('server_error'), status: z.int().min(500).max(599).default(502) }),
  z.strictObject({ ...target, kind: z.literal('drop_before') }),
  /** The call takes effect, but nobody hears so. */
  z.strictObject({ ...target, kind: z.literal('drop_after') }),
  z.strictObject({ ...target, kind: z.literal('delay'), ms: z.int().positive() }),
  /** Any refusal by its own words: `400`, `Bad Request: message to be replied not found`. */
  z.strictObject({
    ...target,
    kind: z.literal('error'),
    error_code: z.int().min(400).max(599),
    description: z.string(),
    migrate_to_chat_id: z.int().optional(),
  }),
])
export type Fault = z.infer<typeof Fault>
export type FaultInput = z.input<typeof Fault>

interface Rule {
  readonly fault: Fault
  readonly random: () => number
  seen: number
  fired: number
}

export class Faults {
  readonly #clock: Clock
  #rules: Rule[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns takes it back */
  add(input: FaultInput): () => void {
    const fault = Fault.parse(input)
    const rule: Rule = { fault, random: seededRandom(fault.seed), seen: 0, fired: 0 }
    this.#rules.push(rule)
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule)
    }
  }

  clear(): void {
    this.#rules = []
  }

  /** The faults that strike this call, delays among them. */
  strike(method: string, chatId: number | undefined): Fault[] {
    const struck: Fault[] = []
    for (const rule of this.#rules) {
      const { fault } = rule
      if (fault.method && fault.method.toLowerCase() !== method.toLowerCase()) continue
      if (fault.chat_id !== undefined && fault.chat_id !== chatId) continue
      if (fault.times !== undefined && rule.fired >= fault.times) continue
      if (rule.seen++ < fault.skip || rule.random() >= fault.probability) continue
      rule.fired++
      struck.push(fault)
    }
    return struck
  }

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve)
    })
  }
}
