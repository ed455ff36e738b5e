/**
 * A disk without room, under the database and under the workspace. The server runs as a process of its own: either in a mount
 * namespace with small disks of its own, or, where nobody may mount, with a limit on how long its files may grow.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type FakeModel, type Script, startFakeModel } from './model/model.fake.ts'
import {
  type AgentClient,
  buildEnvironment,
  createAgentClient,
  plain,
  reasonOf,
  textsOf,
} from './testing/agent-under-test.ts'

/** How a server of this test gets a disk that can be filled. */
interface Way {
  readonly name: string
  readonly isPossible: boolean
  /** The command line that runs `node` so. */
  readonly command: (folder: string, node: readonly string[]) => readonly string[]
  readonly fill: (server: ServerUnderTest) => void
  readonly free: (server: ServerUnderTest) => void
}

const asRoot = process.getuid?.() === 0
const NAMESPACE = ['unshare', ...(asRoot ? [] : ['--user', '--map-root-user']), '--mount', '--propagation', 'private']
const mounts = (folder: string) =>
  Object.entries({ data: '16m', workspace: '1m' })
    .map(([name, size]) => `mount -t tmpfs -o size=${size},mode=777 none '${join(folder, name)}'`)
    .join(' && ')

const SMALL_DISK: Way = {
  name: 'a full disk',
  isPossible: process.platform === 'linux' && canMount(),
  command: (folder, node) => [...NAMESPACE, 'sh', '-c', `${mounts(folder)} && exec "$@"`, 'sh', ...node],
  fill: ({ seen }) => fillUp(join(seen('data'), 'filler')),
  free: ({ seen }) => rmSync(join(seen('data'), 'filler')),
}

const SHORT_FILES: Way = {
  name: 'a limit on the size of files',
  isPossible: process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0,
  command: (_folder, node) => node,
  // What is there may be written over; nothing may grow.
  fill: ({ pid, seen }) => limit(pid, String(statSync(join(seen('data'), 'agent.db-wal')).size)),
  free: ({ pid }) => limit(pid, 'unlimited'),
}

function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'agent-mount-'))
  const [command = '', ...args] = [...NAMESPACE, 'mount', '-t', 'tmpfs', 'none', place]
  const { status } = spawnSync(command, args)
  rmSync(place, { recursive: true })
  return status === 0
}

function fillUp(path: string): void {
  // The last page may take a few bytes yet.
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeFileSync(path, 'x'.repeat(size), { flag: 'a' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
}

function limit(pid: number, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}

interface ServerUnderTest extends AgentClient {
  readonly pid: number
  readonly model: FakeModel
  readonly wal: string
  /** A folder of the server as this process can see it. */
  readonly seen: (name: 'data' | 'workspace') => string
  end(signal: NodeJS.Signals): Promise<void>
  /** @param limitBytes its files may not grow beyond that from its first moment on */
  startAgain(limitBytes?: number): Promise<void>
}

async function startServer(way: Way, script: Script): Promise<ServerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-full-'))
  for (const name of ['data', 'workspace']) mkdirSync(join(folder, name))
  const model = await startFakeModel(script)
  const env = {
    ...buildEnvironment({ folder, workspace: join(folder, 'workspace'), modelUrl: model.url }),
    PATH: process.env.PATH,
  }
  const server = {
    model,
    wal: join(folder, 'data', 'agent.db-wal'),
    seen: (name: string) => join(folder, name),
  } as unknown as ServerUnderTest
  let child: ChildProcess | undefined
  const start = async (before: readonly string[] = []) => {
    const program = [process.execPath, join(import.meta.dirname, 'main.ts')]
    const [command = '', ...args] = [...before, ...way.command(folder, program)]
    child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stderr! })) {
      lines.push(line)
      const ready = line.startsWith('{') ? JSON.parse(line) : {}
      if (ready.event !== 'agent_ready') continue
      child.stderr?.resume()
      return Object.assign(server, createAgentClient(ready.url), {
        pid: child.pid,
        seen: (name: string) => join(`/proc/${child?.pid}/root`, folder, name),
      })
    }
    throw new Error(`the server did not start: ${lines.join('\n')}`)
  }
  onTestFinished(async () => {
    child?.kill('SIGKILL')
    await model.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  return Object.assign(server, {
    end: async (signal: NodeJS.Signals) => {
      const gone = once(child!, 'exit')
      child?.kill(signal)
      await gone
    },
    startAgain: async (bytes?: number) => void (await start(bytes ? ['prlimit', `--fsize=${bytes}:`] : [])),
  })
}

describe.each([SMALL_DISK, SHORT_FILES])('$name under the database', (way) => {
  test.runIf(way.isPossible)(
    'refuses a new turn in words, and goes on when there is room, with nothing lost',
    async () => {
      const server = await startServer(way, () => ({ content: 'noted' }))
      expect(textsOf(await server.chat('my colour is blue'))).toEqual(['noted'])
      way.fill(server)
      const turn = { message: 'and my dog is Rex', chat_id: 'c1', turn_id: 't2' }
      for (let attempt = 0; attempt < 3; attempt++) {
        const refused = await server.openTurn(turn)
        expect(refused.status).toBe(507)
        expect(await refused.json()).toMatchObject({ error: 'storage', message: expect.stringMatching(/disk/) })
      }
      expect((await server.request('/health')).status).toBe(200)
      expect((await server.request('/pending')).status).toBe(200)
      way.free(server)
      expect(textsOf(await server.chat(turn))).toEqual(['noted'])
      expect(server.model.calls).toHaveLength(2)
      const said = JSON.stringify(server.model.calls[1]!.messages)
      expect(said).toContain('my colour is blue')
      expect(said.split('my dog is Rex')).toHaveLength(2)
      expect(server.model.illegal).toEqual([])
    },
  )

  test.runIf(way.isPossible)(
    'that fills up in a turn ends it with one honest line, for good; no tool runs unwritten',
    async () => {
      let server: ServerUnderTest | undefined
      server = await startServer(way, ({ messages }) => {
        const said = String(messages.at(-1)?.content)
        if (!said.includes('fill')) return { content: 'fine' }
        way.fill(server!)
        return said.includes('tool')
          ? { calls: [{ name: 'bash', arguments: { command: 'touch ran' } }] }
          : { content: 'lost' }
      })
      await server.chat('hello')
      for (const message of ['fill', 'fill, then a tool']) {
        const events = await server.chat(message)
        expect(
          plain(events)
            .filter(({ type }) => type !== 'delta')
            .slice(-2),
        ).toEqual([
          { type: 'error', code: 'storage', content: expect.stringMatching(/disk/) },
          { type: 'done', reason: 'error' },
        ])
        way.free(server)
      }
      expect(existsSync(join(server.seen('workspace'), 'ran'))).toBe(false)
      expect(textsOf(await server.chat('still there?'))).toEqual(['fine'])
      expect(server.model.illegal).toEqual([])
      // What the person was told is over stays over. The small disks are gone with their server.
      if (way === SMALL_DISK) return
      const asked = server.model.calls.length
      await server.end('SIGTERM')
      await server.startAgain()
      expect(textsOf(await server.chat('and now?'))).toEqual(['fine'])
      expect(server.model.calls).toHaveLength(asked + 1)
    },
  )
})

test.runIf(SHORT_FILES.isPossible)(
  'a server killed in a turn starts without room, and ends the turn when there is some',
  async () => {
    const server = await startServer(SHORT_FILES, (_call, index) =>
      index === 0 ? { hang: true } : { content: 'back' },
    )
    const turn = { message: 'hello', chat_id: 'c1', turn_id: 't1' }
    await server.openTurn(turn)
    await server.model.called(1)
    await server.end('SIGKILL')
    await server.startAgain(statSync(server.wal).size)
    expect((await server.request('/health')).status).toBe(200)
    expect((await server.openTurn(turn)).status).toBe(507)
    SHORT_FILES.free(server)
    expect(textsOf(await server.chat(turn))).toEqual(['back'])
    expect(server.model.illegal).toEqual([])
  },
)

describe.runIf(SMALL_DISK.isPossible)('a full disk under the workspace', () => {
  test('is a result the model can act on: what was there is whole, and room can be made', async () => {
    const results: string[] = []
    const calls = [
      { name: 'write_file', arguments: { path: 'kept.txt', content: 'old' } },
      { name: 'bash', arguments: { command: 'cat /dev/zero > big' } },
      { name: 'write_file', arguments: { path: 'kept.txt', content: 'n'.repeat(20_000) } },
      { name: 'bash', arguments: { command: 'seq 1 10000' } },
      { name: 'bash', arguments: { command: 'cat kept.txt; rm big' } },
      { name: 'write_file', arguments: { path: 'kept.txt', content: 'n'.repeat(20_000) } },
    ]
    const server = await startServer(SMALL_DISK, ({ messages }) => {
      const answered = messages.filter(({ role }) => role === 'tool')
      results.splice(0, results.length, ...answered.map(({ content }) => String(content)))
      const call = calls[answered.length]
      return call ? { calls: [call] } : { content: 'done' }
    })
    expect(reasonOf(await server.chat('go'))).toBe('stop')
    expect(results[2]).toMatch(/disk is full. Nothing was changed. Free space first/)
    expect(results[3]).toMatch(/the whole could not be kept \(ENOSPC\)[\s\S]*10000$/)
    expect(results[4]).toBe('old')
    expect(results[5]).toMatch(/^replaced kept.txt/)
    expect(readdirSync(server.seen('workspace')).filter((name) => name.endsWith('.tmp'))).toEqual([])
    const refused = await server.request('/files/big.bin', { method: 'PUT', body: new Uint8Array(2_000_000) })
    expect([refused.status, await refused.json()]).toMatchObject([413, { error: 'disk_full' }])
  })
})
