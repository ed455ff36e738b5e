/** Texts like those that models write and people paste, for tests that try every beginning of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url))
const MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url))

export interface CorpusText {
  readonly name: string
  readonly source: string
}

export function readCorpus(): CorpusText[] {
  return readdirSync(CORPUS).map((name) => ({ name, source: readFileSync(`${CORPUS}${name}`, 'utf8') }))
}

/** Of packages that the project needs anyway. */
export function readReadmes(): CorpusText[] {
  return ['marked', 'zod', 'openai', 'croner', 'tar-stream', 'ssh2', 'jose', 'hono'].flatMap((name) => {
    try {
      return [{ name, source: readFileSync(`${MODULES}${name}/README.md`, 'utf8') }]
    } catch {
      return []
    }
  })
}

/** The same numbers in every run. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
