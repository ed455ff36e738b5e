/** Archives of someone who means harm: whatever they hold, the answer is typed and the agent is as it was. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createConfigStore } from '../config-store.ts'
import { createWorkspaceFiles, FileRefused } from '../files.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { pax, type RawEntry, rawEntry, rawTar } from '../testing/raw-tar.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { ArchiveRefused, type TransferPorts } from './archive.ts'
import { importAgent } from './import.ts'

const MEGABYTE = 1024 * 1024
/** The longest history as text and as lines; before there were limits, a bomb took 687 MB. */
const MEMORY_LIMIT = 200 * MEGABYTE

let folder: string
let workspace: string
let database: Database
let ports: TransferPorts

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-import-'))
  workspace = join(folder, 'workspace')
  mkdirSync(workspace)
  database = openDatabase(':memory:')
  const config = createConfigStore(database, {
    AGENT_NAME: 'Testa',
    SYSTEM_PROMPT: 'Be helpful.',
    MODEL: 'm',
    HEARTBEAT_INTERVAL: 60,
  })
  ports = { database, config, files: createWorkspaceFiles(workspace), version: 'test' }
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

const settings = { name: 'Evil', system_prompt: 'x', model: 'x', heartbeat_interval: 0 }
const agentEntry = (config: object = settings): RawEntry => ({
  name: 'agent.json',
  body: JSON.stringify({ format: 1, version: 'x', exported_at: 'x', config }),
})

function importTar(tar: Buffer | RawEntry[]) {
  const archive = gzipSync(Array.isArray(tar) ? rawTar(tar) : tar, { level: 1 })
  return importAgent(Readable.from([archive]), ports)
}

/** Everything in the folder around the workspace, so that what escapes from it shows. */
const everything = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()

async function expectRefused(tar: Buffer | RawEntry[]) {
  const before = everything()
  await expect(importTar(tar)).rejects.toThrow(ArchiveRefused)
  expect(everything()).toEqual(before)
  expect(ports.config.current().name).toBe('Testa')
}

function linkOut(): void {
  mkdirSync(join(folder, 'outside'))
  symlinkSync(join(folder, 'outside'), join(workspace, 'c'))
}

describe('an archive with tricks is refused and changes nothing', () => {
  test.each<[string, RawEntry[]]>([
    [
      'a long name that leads out',
      [
        { name: 'x', type: 'L', body: 'workspace/../../evil\0' },
        { name: 'y', body: 'x' },
      ],
    ],
    [
      'an extended name that leads out',
      [{ name: 'x', type: 'x', body: pax({ path: 'workspace/../../e' }) }, { name: 'y' }],
    ],
    ['an absolute name', [{ name: 'workspace//etc/../../evil', body: 'x' }]],
    ['a hard link', [{ name: 'workspace/a', type: '1', linkname: '/etc/passwd' }]],
    ['a symbolic link', [{ name: 'workspace/a', type: '2', linkname: '../..' }]],
    ['a device', [{ name: 'workspace/a', type: '3' }]],
    ['a named pipe', [{ name: 'workspace/a', type: '6' }]],
    ['a sparse file', [{ name: 'workspace/a', type: 'S', body: 'x'.repeat(512) }]],
    [
      'a sparse file in disguise',
      [
        { name: 'x', type: 'x', body: pax({ 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '99999999999' }) },
        { name: 'workspace/a', body: 'x' },
      ],
    ],
    [
      'a size in the extended attributes',
      [
        { name: 'x', type: 'x', body: pax({ size: '-512' }) },
        { name: 'workspace/a', body: 'x' },
      ],
    ],
    [
      'attributes for all that follows',
      [
        { name: 'x', type: 'g', body: pax({ comment: 'x' }) },
        { name: 'workspace/a', body: 'x' },
      ],
    ],
    ['a size that is no number', [{ name: 'workspace/a', size: 'zzzzzzzzzzz\0' }]],
    ['a size beyond all measure', [{ name: 'workspace/a', size: '\x80\0\0\0\0\xff\xff\xff\xff\xff\xff\xff' }]],
    ['a folder with a body', [{ name: 'workspace/a/', type: '5', body: 'x'.repeat(600) }]],
    [
      'a file where a folder of the same archive is',
      [
        { name: 'workspace/a/b', body: 'x' },
        { name: 'workspace/a', body: 'x' },
      ],
    ],
    [
      'a folder where a file of the same archive is',
      [
        { name: 'workspace/a', body: 'x' },
        { name: 'workspace/a/b', body: 'x' },
      ],
    ],
    ['a file without a name', [{ name: 'workspace/', body: 'x' }]],
    [
      'folders without end',
      [
        { name: 'x', type: 'L', body: `workspace/${'a/'.repeat(500)}b\0` },
        { name: 'y', body: 'x' },
      ],
    ],
  ])('%s', async (_name, entries) => {
    await expectRefused([agentEntry(), { name: 'workspace/harmless.txt', body: 'x' }, ...entries])
  })

  test.each<[string, () => void]>([
    ['a folder', () => mkdirSync(join(workspace, 'b'))],
    ['a link out of the workspace in the way', () => linkOut()],
    ['a file in the way', () => writeFileSync(join(workspace, 'c'), 'x')],
  ])('when it would replace %s', async (_name, prepare) => {
    prepare()
    const files = ['a', 'b', 'c/d'].map((name) => ({ name: `workspace/${name}`, body: 'new' }))
    await expectRefused([agentEntry(), ...files])
  })

  test('when its settings are none that could be made here', async () => {
    for (const wrong of [{ heartbeat_interval: 1e15 }, { name: 'x'.repeat(65) }, { system_prompt: 'x'.repeat(40_000) }])
      await expectRefused([agentEntry({ ...settings, ...wrong })])
  })
})

describe('a bomb is refused before it fills the memory or the disk', () => {
  test.each<[string, () => Iterable<Buffer>]>([
    [
      'of one huge attribute',
      () => repeat(rawEntry({ name: 'x', type: 'x', size: octal(99 * MEGABYTE) }), Buffer.alloc(MEGABYTE), 99),
    ],
    [
      'of many large attributes',
      () =>
        repeat(
          Buffer.alloc(0),
          rawEntry({ name: 'x', type: 'g', body: Buffer.alloc(3 * MEGABYTE, '9 a=b\n012') }),
          300,
        ),
    ],
    [
      'of empty lines in the history',
      () => repeat(rawEntry({ name: 'history.jsonl', size: octal(60 * MEGABYTE) }), Buffer.alloc(MEGABYTE, '\n'), 60),
    ],
    [
      'of one endless line in the history',
      () => repeat(rawEntry({ name: 'history.jsonl', size: octal(99 * MEGABYTE) }), Buffer.alloc(MEGABYTE, 'x'), 99),
    ],
    [
      'of empty folders',
      () =>
        repeat(
          Buffer.alloc(0),
          Buffer.concat(Array.from({ length: 1000 }, () => rawEntry({ name: 'workspace/a/', type: '5' }))),
          200,
        ),
    ],
    ['of zeros', () => repeat(rawEntry({ name: 'else', size: octal(110 * MEGABYTE) }), Buffer.alloc(MEGABYTE), 110)],
  ])('%s', async (_name, blocks) => {
    const { createGzip } = await import('node:zlib')
    const before = everything()
    const peak = watchMemory()
    const archive = Readable.from(blocks()).pipe(createGzip({ level: 1 }))
    await expect(importAgent(archive, ports, { maxUnpackedBytes: 100 * MEGABYTE })).rejects.toThrow(ArchiveRefused)
    archive.destroy()
    expect(peak()).toBeLessThan(MEMORY_LIMIT)
    expect(everything()).toEqual(before)
  })

  test('that never unpacks to anything', async () => {
    const nothing = gzipSync('')
    const block = Buffer.concat(Array.from({ length: 50_000 }, () => nothing))
    const archive = Readable.from(repeat(gzipSync(rawEntry(agentEntry())), block, 10_000))
    await expect(importAgent(archive, ports, { maxArchiveBytes: 8 * MEGABYTE })).rejects.toThrow(ArchiveRefused)
  })
})

test('a broken archive of any kind is refused, or taken as a whole', async () => {
  const random = seededRandom(7)
  const sound = rawTar([
    agentEntry(),
    { name: 'x', type: 'x', body: pax({ path: 'workspace/grün.txt', mtime: '1' }) },
    { name: 'workspace/a', body: 'x'.repeat(700) },
    { name: 'history.jsonl', body: '{"kind":"history","history_id":"h","chat_id":"c","summary":""}\n' },
    { name: 'workspace/b/c.txt', body: 'y' },
  ])
  let refused = 0
  for (let round = 0; round < 400; round++) {
    const tar = Buffer.from(sound)
    for (let change = 0; change <= random() * 3; change++) {
      const at = Math.floor(random() * tar.length)
      if (random() < 0.5) tar[at] = Math.floor(random() * 256)
      else tar.copyWithin(at, Math.floor(random() * tar.length), Math.floor(random() * tar.length))
    }
    // Half of them with sums that are right again, so that more than the sum is looked at.
    if (random() < 0.5) for (let at = 0; at + 512 <= tar.length; at += 512) correctSum(tar, at)
    const cut = random() < 0.1 ? tar.subarray(0, Math.floor(random() * tar.length)) : tar
    try {
      await importTar(cut)
    } catch (error) {
      expect(error instanceof ArchiveRefused || error instanceof FileRefused, `round ${round}: ${error}`).toBe(true)
      refused++
    }
    expect(readdirSync(folder)).toEqual(['workspace'])
    expect(readdirSync(workspace).filter((name) => name.startsWith('.import'))).toEqual([])
  }
  expect(refused).toBeGreaterThan(100)
})

function octal(size: number): string {
  return `${size.toString(8).padStart(11, '0')}\0`
}

function* repeat(head: Buffer, block: Buffer, times: number): Generator<Buffer> {
  // The header of an entry whose body comes in blocks: without its own (empty) body there is nothing to take away.
  yield head
  for (let time = 0; time < times; time++) yield block
}

function correctSum(tar: Buffer, at: number): void {
  if (tar.toString('latin1', at + 257, at + 262) !== 'ustar') return
  tar.write('        ', at + 148)
  const sum = tar.subarray(at, at + 512).reduce((total: number, byte: number) => total + byte, 0)
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
}

/** @returns by how much the memory of this process grew at most since now */
function watchMemory(): () => number {
  const { heapUsed, external } = process.memoryUsage()
  let peak = 0
  const look = () => {
    const now = process.memoryUsage()
    peak = Math.max(peak, now.heapUsed + now.external - heapUsed - external)
  }
  const timer = setInterval(look, 5)
  return () => {
    clearInterval(timer)
    look()
    return peak
  }
}
