/**
 * Stands where wrangler stands, for tests: what needs an account is told to `cloudflare.fake.ts` and answered by it; a dry run
 * is the real wrangler's.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const args = process.argv.slice(2)
if (args.includes('--dry-run')) {
  const real = fileURLToPath(new URL('../../../node_modules/wrangler/bin/wrangler.js', import.meta.url))
  process.exit(spawnSync(process.execPath, [real, ...args], { stdio: 'inherit' }).status ?? 1)
}
const stdin = readFileSync(0, 'utf8')
const response = await fetch(process.env.CLOUDFLARE_FAKE_URL, { method: 'POST', body: JSON.stringify({ args, stdin }) })
const { code, stdout, stderr, output } = await response.json()
if (output && process.env.WRANGLER_OUTPUT_FILE_PATH) writeFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, output)
process.stdout.write(stdout)
process.stderr.write(stderr)
process.exitCode = code
