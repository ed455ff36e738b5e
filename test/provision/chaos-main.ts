/**
 * `npm run test:chaos -- [--runs 100] [--seed 1] [--no-real]`: many stories in a time of their own, then a few kills of the real
 * platform, and what became of all of it. Ends with 1 when anything was left behind.
 */
import { parseArgs } from 'node:util'
import { type ChaosRun, runChaos } from './chaos.ts'
import { runRealKills, STEPS } from './real-kills.ts'
import { prepareGround } from './world.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    real: { type: 'boolean', default: true },
    loud: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
// Thousands of expected failures are of no interest.
if (!values.loud) for (const level of ['warn', 'error', 'info'] as const) console[level] = () => undefined

const ground = await prepareGround()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void ground.close().then(() => process.exit(1)))
}
const startedAt = Date.now()
const runs: ChaosRun[] = []
try {
  for (let seed = Number(values.seed); runs.length < Number(values.runs); seed++) {
    const run = await runChaos(ground, seed)
    runs.push(run)
    if (run.breaches.length > 0) console.log(`seed ${seed}:\n  ${run.breaches.join('\n  ')}`)
  }
} finally {
  await ground.close()
}
const sum = (count: (run: ChaosRun) => number) => runs.reduce((total, run) => total + count(run), 0)
const failed: Record<string, number> = {}
for (const run of runs) {
  for (const [code, count] of Object.entries(run.failed)) failed[code] = (failed[code] ?? 0) + count
}
console.log(
  JSON.stringify(
    {
      runs: runs.length,
      seconds: Math.round((Date.now() - startedAt) / 1_000),
      kills: sum(({ kills }) => kills),
      deployments: sum(({ deployments }) => deployments),
      done: sum(({ done }) => done),
      failed,
      instances: sum(({ instances }) => instances),
      orphansFound: sum(({ orphansFound }) => orphansFound),
      breaches: sum(({ breaches }) => breaches.length),
    },
    null,
    2,
  ),
)
const real = values.real ? await runRealKills(STEPS, (line) => console.log(line)) : undefined
if (real) console.log(JSON.stringify({ real }, null, 2))
process.exitCode = runs.some(({ breaches }) => breaches.length > 0) || real?.breaches.length ? 1 : 0
