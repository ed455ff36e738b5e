/** The agent server as a process of its own that dies by `kill -9` in the middle of turns whose tool appends to a file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { bundleServer } from './bundle.ts'
import { type FakeModel, type ModelCall, type Reply, startFakeModel } from './model/model.fake.ts'
import {
  type AgentClient,
  buildEnvironment,
  createAgentClient,
  FAST_DISK,
  type NumberedEvent,
  readEvents,
  reasonOf,
  textsOf,
} from './testing/agent-under-test.ts'
import { seededRandom } from './testing/seeded-random.ts'

/** All of them in `npm run test:endurance`, a few each time the tests run. */
const KILLS = process.env.BAAL_WIDER ? 60 : 16
const LIMIT_MS = 600_000
const LINES_PER_TURN = 4

let folder: string
let model: FakeModel
let server: ChildProcess | undefined

afterEach(async () => {
  server?.kill('SIGKILL')
  await model?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function startServer(): Promise<AgentClient> {
  const environment = buildEnvironment({ folder, workspace: join(folder, 'workspace'), modelUrl: model.url })
  server = spawn(process.execPath, [join(folder, 'agent.mjs')], {
    env: { ...environment, NODE_COMPILE_CACHE: join(folder, 'compiled') },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for await (const line of createInterface({ input: server.stdout! })) {
    if (line.startsWith('{"url"')) return createAgentClient(JSON.parse(line).url)
  }
  throw new Error('the server ended before it was ready')
}

async function killServer(): Promise<void> {
  const gone = once(server!, 'exit')
  server?.kill('SIGKILL')
  await gone
}

/** Appends the next line of the turn until there are enough, whatever the results say: it never repeats one by itself. */
function appendLines(call: ModelCall): Reply {
  const start = call.messages.findLastIndex(({ role }) => role === 'user')
  const turn = /turn \d+/.exec(String(call.messages[start]?.content))?.[0]?.replace(' ', '')
  const written = call.messages.slice(start).filter(({ role }) => role === 'tool').length
  if (written >= LINES_PER_TURN) return { pieces: ['all ', 'written'], pauseMs: 2 }
  const line = `${turn}-line${written + 1}`
  return { content: 'One more.', calls: [{ id: line, name: 'append_slowly', arguments: { path: 'lines.txt', line } }] }
}

/** Reads until the turn is done, or kills the server at some moment after so many events. */
async function readUntil(response: Response, killAfter: number, delayMs: number): Promise<NumberedEvent[]> {
  const seen: NumberedEvent[] = []
  try {
    for await (const numbered of readEvents(response)) {
      seen.push(numbered)
      if (seen.length !== killAfter) continue
      await sleep(delayMs)
      await killServer()
    }
  } catch {
    // The connection of a killed server breaks off.
  }
  return seen
}

test(
  `${KILLS} kills in the middle of turns: every line once or an honest "may have run", and a legal history`,
  async () => {
    const random = seededRandom(20_261)
    folder = mkdtempSync(join(FAST_DISK, 'agent-kill-'))
    mkdirSync(join(folder, 'workspace'))
    // Bundled once: sixty starts from the sources would take most of the test.
    writeFileSync(join(folder, 'agent.mjs'), await bundleServer(join(import.meta.dirname, 'main.fake.ts')))
    model = await startFakeModel(appendLines)
    let agent = await startServer()
    let kills = 0
    const interrupted = new Set<string>()
    const finished = new Set<string>()
    const endings: (string | undefined)[] = []
    for (let turn = 1; kills < KILLS; turn++) {
      const request = { message: `turn ${turn}`, chat_id: 'c1', turn_id: `t${turn}` }
      const events: NumberedEvent[] = []
      // One turn in four dies twice: the second time it must end by itself.
      for (let deaths = turn % 4 === 0 ? 2 : 1; reasonOf(events) === undefined; deaths--) {
        const lastSeen = events.at(-1)?.id ?? 0
        const killAfter = deaths > 0 ? 1 + Math.floor(random() * 14) : Number.POSITIVE_INFINITY
        events.push(...(await readUntil(await agent.openTurn(request, lastSeen), killAfter, Math.floor(random() * 12))))
        if (server?.signalCode !== 'SIGKILL') continue
        kills++
        agent = await startServer()
      }
      expect(events.every(({ id }, index) => index === 0 || id > events[index - 1]!.id)).toBe(true)
      expect(events.filter(({ event }) => event.type === 'done')).toHaveLength(1)
      endings.push(reasonOf(events))
      // An ending that is not the answer says so in words.
      if (reasonOf(events) === 'stop') expect(textsOf(events).at(-1)).toBe('all written')
      else expect(events.some(({ event }) => event.type === 'error')).toBe(true)
      for (const { event } of events) {
        if (event.type === 'tool_result') (event.ok ? finished : interrupted).add(event.id)
      }
    }
    const lines = readFileSync(join(folder, 'workspace', 'lines.txt'), 'utf8')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(new Set(lines).size)
    expect([...finished].filter((line) => !lines.includes(line))).toEqual([])
    // A turn that was given up may leave the call it died in without a result event; it has run at most once all the same.
    const unaccounted = lines.filter((line) => !finished.has(line) && !interrupted.has(line))
    expect(unaccounted.length).toBeLessThanOrEqual(endings.filter((reason) => reason !== 'stop').length)
    expect(interrupted.size).toBeGreaterThan(0)
    expect(endings.filter((reason) => reason === 'stop').length).toBeGreaterThan(0)
    await agent.chat({ message: 'turn 9999', chat_id: 'c1' })
    expect(model.illegal).toEqual([])
  },
  LIMIT_MS,
)
