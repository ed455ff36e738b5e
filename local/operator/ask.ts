/** Questions to a person at a terminal, each with what the value is for and where to get it. Secrets are not shown. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { OperatorError } from './operator-error.ts'
import { PRODUCTION_VALUES, type ProductionValue, type Values } from './production-values.ts'

export interface Terminal {
  /** False where nobody can answer: then what is missing is named instead. */
  readonly interactive: boolean
  ask(question: string, options: { readonly hidden: boolean }): Promise<string>
}

/**
 * @param asksOffers whether what may stay empty is asked for, too: once, on the first deployment
 * @throws {OperatorError} naming everything that is missing when there is nobody to ask
 */
export async function askForMissing(values: Values, terminal: Terminal, asksOffers: boolean): Promise<Values> {
  const missing = PRODUCTION_VALUES.filter(({ name, kind }) => kind === 'asked' && !values[name])
  if (!terminal.interactive) {
    if (missing.length === 0) return values
    const lines = missing.map(({ name, purpose, source }) => `  ${name}: ${purpose} (${source})`)
    throw new OperatorError(
      `These values are missing:\n${lines.join('\n')}`,
      'Put them into .prod.vars, or run this in a terminal.',
    )
  }
  const offers = asksOffers ? PRODUCTION_VALUES.filter(({ name, kind }) => kind === 'offered' && !values[name]) : []
  const answers: Record<string, string> = {}
  for (const value of [...missing, ...offers]) {
    const answer = await askOne(value, terminal)
    if (answer) answers[value.name] = answer
  }
  return { ...values, ...answers }
}

async function askOne({ name, purpose, source, kind, secret }: ProductionValue, terminal: Terminal): Promise<string> {
  const where = source ? `\n  (${source})` : ''
  const optional = kind === 'offered' ? ' [may stay empty]' : ''
  for (;;) {
    const answer = await terminal.ask(`\n${purpose}${where}\n${name}${optional}: `, { hidden: secret === true })
    if (answer.trim() || kind === 'offered') return answer.trim()
  }
}

export function processTerminal(): Terminal {
  return {
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    async ask(question, { hidden }) {
      let muted = false
      const output = new Writable({
        write(chunk, _encoding, done) {
          if (!muted) process.stdout.write(chunk)
          done()
        },
      })
      const terminal = createInterface({ input: process.stdin, output, terminal: true })
      const answer = terminal.question(question)
      muted = hidden
      try {
        return await answer
      } finally {
        terminal.close()
        if (hidden) process.stdout.write('\n')
      }
    },
  }
}
