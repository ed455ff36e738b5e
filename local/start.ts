/** `npm start`: the whole of Baal on this machine, until Ctrl-C. */
import { relative } from 'node:path'
import { type Baal, startBaal } from './baal.ts'
import { describeConfinement } from './machine/confinement.ts'
import { PortInUse } from './ports.ts'
import { ServiceFailed } from './service.ts'
import { loadSettings, SettingsError } from './settings.ts'
import { SqldUnavailable } from './sqld.ts'

const startedAt = Date.now()
const verbose = process.argv.includes('--verbose')
const interrupted = new AbortController()
let stopping = false
let isUp = false

const starting = loadSettings().then((settings) =>
  startBaal({
    settings,
    signal: interrupted.signal,
    onProgress: (line) => console.log(`  ${line} …`),
    onTrouble: (line) => console.warn(`! ${line}`),
    onOutput: (part, line) => {
      if (verbose || isWorthReading(line)) console.log(`[${part}] ${line}`)
    },
    onFailure: (error) => {
      console.error(error.message)
      void stop(1)
    },
  }),
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))

try {
  const baal = await starting
  isUp = true
  await greet(baal)
} catch (error) {
  if (!stopping) console.error(isExplained(error) ? error.message : error)
  await stop(1)
}

async function greet({ pageUrl, standIns, dataDir }: Baal): Promise<void> {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  const real = (isStandIn: boolean) => (isStandIn ? 'stand-in' : 'real')
  const confinement = standIns.aleph ? (await describeConfinement()).line : 'on Aleph Cloud'
  console.log(`
Baal is ready after ${seconds} s. Open

    ${pageUrl}

  Telegram  ${real(standIns.telegram)}${standIns.telegram ? ' (TELEGRAM_BOT_TOKEN in .dev.vars uses the real one)' : ''}
  Model     ${real(standIns.model)}${standIns.model ? ' (LIBERTAI_API_KEY in .dev.vars uses the real one)' : ''}
  Machines  ${confinement}
  State     ${shortened(dataDir)}/ (kept between starts)

Ctrl-C stops everything. npm start -- --verbose shows what each part prints.`)
}

/** From here where it lies below, else as it is. */
function shortened(folder: string): string {
  const below = relative(process.cwd(), folder)
  return below === '' || below.startsWith('..') ? folder : below
}

async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  console.log('\nStopping …')
  if (!isUp) interrupted.abort()
  const baal = await starting.catch(() => undefined)
  await baal?.stop()
  process.exit(code)
}

/** Warnings and errors of any part; the rest only with --verbose. */
function isWorthReading(line: string): boolean {
  return /"level":"(warn|error)"|\berror\b|ERROR/i.test(line) && !/"event":/.test(line)
}

function isExplained(error: unknown): error is Error {
  return (
    error instanceof SettingsError ||
    error instanceof PortInUse ||
    error instanceof ServiceFailed ||
    error instanceof SqldUnavailable
  )
}
