/**
 * `npm run bench:agent`: the agent server as it is deployed (the one bundled file, run by plain `node`), against a model
 * without delay. Absolute times are this machine's; the ratios are against a bare relay in the same run.
 *
 * `npm run bench:agent -- --other 'name=command'` measures a second server the same way, in turn with ours. The command finds
 * our environment variables (`PORT`, `WORKSPACE_PATH`, `LIBERTAI_BASE_URL`, …) and has to serve `GET /health` and `POST /chat`.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../../local/sqld.ts'
import {
  type Memory,
  measurePrefix,
  median,
  quantile,
  readCpuMs,
  readMemory,
  runChatsAtOnce,
  timeTurns,
} from './agent-measures.ts'
import { startBenchModel } from './agent-model.ts'
import { planAgent, planOther, planRelay, type RunningServer, type ServerPlan, startServer } from './agent-servers.ts'

const STARTS = 9
const WARM_UP = 40
const BLOCKS = 4
const BLOCK_TURNS = 15
const PREFIX_TURNS = 120
const CHATS = 20
const SETTLE_MS = 2000
/** V8 gives memory back after some ten seconds of rest. */
const REST_MS = 15_000

const { values } = parseArgs({ options: { other: { type: 'string', multiple: true, default: [] } } })
const folder = mkdtempSync(join(tmpdir(), 'baal-bench-agent-'))
// The tools run as another user.
chmodSync(folder, 0o755)
const model = await startBenchModel()
try {
  const agent = await planAgent(folder, model.url)
  const others = values.other.map((given) => planOther(given, model.url))
  const rows = await measureAll([agent, ...others], planRelay(model.url))
  console.log(`bundle: one file, ${Math.round(agent.bundleBytes / 1024)} KB\n`)
  console.log(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'))
} finally {
  model.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

interface Turns {
  readonly times: readonly number[]
  readonly cpuMs: number
}

interface Figures {
  readonly firstStartMs: number
  readonly startMs: number
  readonly idle: Memory
  readonly after: Memory
  /** The same after a while without a turn. */
  readonly rested: Memory
  readonly plain: Turns
  readonly write: Turns
  readonly bash: Turns
  readonly prefix: { readonly reuse: number; readonly requests: number }
  readonly crowd: readonly number[]
  /** Of the relay, at the same time. */
  readonly relay: { readonly startMs: number; readonly rss: number; readonly plain: Turns }
}

/** In turn with the relay, so that what else the machine does falls on both. */
async function measure(plan: ServerPlan, relayPlan: ServerPlan): Promise<Figures> {
  const { firstStartMs, startMs, relayStartMs } = await measureStarts(plan, relayPlan)
  const relay = await startServer(relayPlan, makePlace(), await freePort())
  const server = await startServer(plan, makePlace(), await freePort())
  try {
    await sleep(REST_MS)
    const idle = readMemory(server.pid)
    const hello = (turn: number) => `Hello number ${turn}`
    await timeTurns(server, 'talk', WARM_UP, hello)
    await timeTurns(relay, 'talk', WARM_UP, hello)
    const [plain, bare] = await inTurn([() => runBlock(server, hello), () => runBlock(relay, hello)])
    const [write, bash] = await inTurn([
      () => runBlock(server, (turn) => `call write_file {"path": "note.txt", "content": "line ${turn}"}`),
      () => runBlock(server, (turn) => `call bash {"command": "echo ${turn}"}`),
    ])
    await sleep(SETTLE_MS)
    const after = readMemory(server.pid)
    await sleep(REST_MS)
    const rested = readMemory(server.pid)
    const prefix = await measurePrefix(server, model, PREFIX_TURNS)
    const crowd = await runChatsAtOnce(server, CHATS, 6)
    const { rss } = readMemory(relay.pid)
    const none = { times: [], cpuMs: 0 }
    return {
      firstStartMs,
      startMs,
      idle,
      after,
      rested,
      plain: plain ?? none,
      write: write ?? none,
      bash: bash ?? none,
      prefix,
      crowd,
      relay: { startMs: relayStartMs, rss, plain: bare ?? none },
    }
  } finally {
    await server.stop()
    await relay.stop()
  }
}

/** The first start finds nothing; the others what the one before left. */
async function measureStarts(plan: ServerPlan, relayPlan: ServerPlan) {
  const place = makePlace()
  const start = async (which: ServerPlan) => {
    const server = await startServer(which, place, await freePort())
    await server.stop()
    return server.startMs
  }
  const firstStartMs = await start(plan)
  const times: number[] = []
  const relayTimes: number[] = []
  for (let run = 0; run < STARTS; run++) {
    times.push(await start(plan))
    relayTimes.push(await start(relayPlan))
  }
  return { firstStartMs, startMs: median(times), relayStartMs: median(relayTimes) }
}

async function inTurn(blocks: readonly (() => Promise<Turns>)[]): Promise<Turns[]> {
  const all: Turns[][] = blocks.map(() => [])
  for (let round = 0; round < BLOCKS; round++) {
    for (const [index, run] of blocks.entries()) all[index]?.push(await run())
  }
  return all.map((parts) => ({
    times: parts.flatMap(({ times }) => times),
    cpuMs: parts.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / BLOCKS,
  }))
}

async function runBlock(server: RunningServer, message: (turn: number) => string): Promise<Turns> {
  const before = readCpuMs(server.pid)
  const times = await timeTurns(server, 'talk', BLOCK_TURNS, message)
  return { times, cpuMs: (readCpuMs(server.pid) - before) / BLOCK_TURNS }
}

async function measureAll(plans: readonly ServerPlan[], relayPlan: ServerPlan): Promise<string[][]> {
  const rows = [['figure', 'aim', 'agent server', 'beside'], Array<string>(4).fill('---')]
  const [ours, ...others] = plans
  if (!ours) return rows
  const mine = await measure(ours, relayPlan)
  const theirs: (readonly [string, Figures])[] = []
  for (const other of others) theirs.push([other.name, await measure(other, relayPlan)])
  const add = (figure: string, aim: string, unit: string, read: (figures: Figures) => number, reference?: number) => {
    const own = read(mine)
    const beside = theirs.map(
      ([name, figures]) => `${name} ${show(read(figures), unit)} (${ratio(read(figures), own)})`,
    )
    if (reference !== undefined) beside.unshift(`${ratio(own, reference)} the relay’s ${show(reference, unit)}`)
    rows.push([figure, aim, show(own, unit), beside.join('; ')])
  }
  const turns = WARM_UP + 3 * BLOCKS * BLOCK_TURNS
  const { relay } = mine
  const bareMs = median(relay.plain.times)
  add('first start to first healthy answer', '', 'ms', ({ firstStartMs }) => firstStartMs)
  add('start again, p50', '≤ 400 ms', 'ms', ({ startMs }) => startMs, relay.startMs)
  add('memory idle', '≤ 60 MB', 'MB', ({ idle }) => idle.pss, relay.rss)
  add(`memory after ${turns} turns, with the tool process`, '≤ 80 MB', 'MB', ({ after }) => after.pss)
  add('the same, at rest', '≤ 80 MB', 'MB', ({ rested }) => rested.pss)
  add('the same, what they share counted for each', '', 'MB', ({ rested }) => rested.rss)
  add('plain turn, p50', '≤ 8 ms', 'ms', ({ plain }) => median(plain.times), bareMs)
  add('plain turn, p95', '', 'ms', ({ plain }) => quantile(plain.times, 0.95), quantile(relay.plain.times, 0.95))
  add('plain turn, CPU', '', 'ms', ({ plain }) => plain.cpuMs, relay.plain.cpuMs)
  add('turn with one `write_file`, p50', '≤ 15 ms', 'ms', ({ write }) => median(write.times), bareMs)
  add('turn with one `bash`, p50', '≤ 15 ms', 'ms', ({ bash }) => median(bash.times), bareMs)
  add(`prefix reused over ${PREFIX_TURNS} turns with 12 memory writes`, '≥ 0.99', '', ({ prefix }) => prefix.reuse)
  add(`${CHATS} chats at once, turn p50`, 'no errors', 'ms', ({ crowd }) => median(crowd))
  return rows
}

function makePlace(): string {
  const place = mkdtempSync(join(folder, 'place-'))
  chmodSync(place, 0o755)
  mkdirSync(join(place, 'workspace'))
  return place
}

function show(value: number, unit: string): string {
  if (unit === '') return value.toFixed(4)
  return `${value < 20 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

function ratio(value: number, reference: number): string {
  return `${(value / reference).toFixed(1)} ×`
}
