/**
 * `npm test` and its wider relatives. Each suite adds to one pair of counts; the last line is `N passed, N failed`.
 *
 * node local/bootstrap.mjs test/run.ts [NAME of `SUITES` …]   (default: check unit)
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from '../local/settings.ts'
import { auditPackages } from './audit.ts'

interface Counts {
  passed: number
  failed: number
}

/** Each file of tests loads the same large packages anew: compiled once, by content. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled')

const NOTHING: Counts = { passed: 0, failed: 0 }

/** The parts of vitest's JSON report that are counted. */
const Report = z.object({
  success: z.boolean(),
  numPassedTests: z.int(),
  numFailedTests: z.int(),
})

const SUITES: Readonly<Record<string, () => Counts>> = {
  check: () =>
    add([
      command('types', ['node_modules/typescript/bin/tsc', '-p', '.']),
      command('lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']),
    ]),
  audit,
  unit: () => vitest('unit', []),
  commands: () => vitest('commands', ['test/story/commands.test.ts'], { BAAL_WIDER: '1' }),
  endurance: () =>
    vitest('endurance', ['agent-vm/kill.test.ts', 'agent-vm/turn-fuzz.test.ts', 'test/crash', 'test/provision/chaos'], {
      BAAL_WIDER: '1',
    }),
  browser: () => vitest('browser', ['--config', 'test/browser/vitest.config.ts']),
  load: () => vitest('load', ['--config', 'test/load/vitest.config.ts']),
  vm: () => vitest('vm', ['--config', 'test/vm/vitest.config.ts']),
  deploy: () =>
    command('wrangler deploy --dry-run', [
      'node_modules/wrangler/bin/wrangler.js',
      'deploy',
      '--dry-run',
      '--containers-rollout=none',
    ]),
}

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !SUITES[name])
if (unknown) {
  console.error(`There is no suite "${unknown}". There are: ${Object.keys(SUITES).join(', ')}.`)
  process.exit(2)
}
const total = add((wanted.length > 0 ? wanted : ['check', 'unit']).map((name) => SUITES[name]?.() ?? NOTHING))
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)

/** Not counted when nobody answered: it neither passed nor failed, but it is said. */
function audit(): Counts {
  const result = auditPackages()
  if (result.kind === 'unanswered') {
    console.log(`NOT CHECKED: packages for known weaknesses, because the registry answers no audits (${result.reason})`)
    return NOTHING
  }
  console.log(result.kind === 'clean' ? 'ok: npm audit' : `FAILED: npm audit found ${result.packages.join(', ')}`)
  return result.kind === 'clean' ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function command(name: string, args: readonly string[]): Counts {
  const ok = node(args) === 0
  console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`)
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function vitest(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'baal-test-'))
  const file = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const status = node(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args], env)
    if (!existsSync(file)) {
      console.log(`FAILED: ${name} wrote no report`)
      return { passed: 0, failed: 1 }
    }
    const report = Report.parse(JSON.parse(readFileSync(file, 'utf8')))
    // A file that cannot be loaded, or an error outside any test, fails the run without a failed test to count.
    const unseen = (status !== 0 || !report.success) && report.numFailedTests === 0 ? 1 : 0
    return { passed: report.numPassedTests, failed: report.numFailedTests + unseen }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): number | null {
  return spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      CI: '1',
      NODE_COMPILE_CACHE: COMPILED,
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      ...env,
    },
  }).status
}

function add(counts: readonly Counts[]): Counts {
  return counts.reduce((sum, next) => ({ passed: sum.passed + next.passed, failed: sum.failed + next.failed }), NOTHING)
}
