/**
 * Takes an archive. First everything is read, checked and laid into a folder of its own; only a whole and sound archive is
 * then applied: files are moved into place, history and configuration replaced in one transaction. Other files stay.
 */
import { randomBytes } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Header } from 'tar-stream'
import type { z } from 'zod'
import { FileRefused, parsePath, type WorkspaceFiles } from '../files.ts'
import { ModelMessage } from '../model/model-message.ts'
import type { Database } from '../storage/database.ts'
import {
  AGENT_ENTRY,
  ArchivedAgent,
  ArchivedLine,
  ArchiveRefused,
  HISTORY_ENTRY,
  type TransferPorts,
  WORKSPACE_PREFIX,
} from './archive.ts'

/** Against archives that grow without end when unpacked. */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
const MAX_ENTRIES = 50_000
const MAX_AGENT_BYTES = 256 * 1024
const MAX_HISTORY_BYTES = 64 * 1024 * 1024

export interface Imported {
  readonly files: number
  readonly messages: number
}

/** One file of the archive: its header and its bytes. */
type Entry = AsyncIterable<Buffer> & { readonly header: Header; resume(): unknown }

interface Staged {
  agent?: z.infer<typeof ArchivedAgent>
  lines: z.infer<typeof ArchivedLine>[]
  readonly paths: Set<string>
}

/** @throws {ArchiveRefused} when it is not a sound archive; nothing was changed then */
export async function importAgent(body: Readable, ports: TransferPorts): Promise<Imported> {
  const folder = `.import-${randomBytes(6).toString('hex')}`
  try {
    const staged = await stage(body, folder, ports.files)
    if (!staged.agent) throw new ArchiveRefused(`The archive has no ${AGENT_ENTRY}.`)
    for (const path of staged.paths) await ports.files.move(`${folder}/${path}`, path)
    ports.database.durably(() => replaceHistory(ports.database, staged.lines))
    const { name, system_prompt, model, heartbeat_interval } = staged.agent.config
    ports.config.update({ name, system_prompt, model, heartbeat_interval })
    return { files: staged.paths.size, messages: staged.lines.filter(({ kind }) => kind === 'message').length }
  } catch (error) {
    throw explain(error)
  } finally {
    await ports.files.removeFolder(folder).catch(() => undefined)
  }
}

async function stage(body: Readable, folder: string, files: WorkspaceFiles): Promise<Staged> {
  const { extract: createExtract } = await import('tar-stream')
  const staged: Staged = { lines: [], paths: new Set() }
  const extract = createExtract()
  const unpacked = pipeline(body, createGunzip(), limitBytes(MAX_UNPACKED_BYTES), extract)
  const read = async () => {
    let entries = 0
    for await (const entry of extract) {
      if (++entries > MAX_ENTRIES) throw new ArchiveRefused('The archive has too many files.')
      await stageEntry(entry as Entry, folder, files, staged)
    }
  }
  const done = read().catch((error: Error) => {
    extract.destroy(error)
    throw error
  })
  await Promise.all([done, unpacked])
  return staged
}

async function stageEntry(entry: Entry, folder: string, files: WorkspaceFiles, staged: Staged): Promise<void> {
  const { name, type } = entry.header
  if (type === 'directory') entry.resume()
  else if (type !== 'file') throw new ArchiveRefused(`The archive holds a ${type}: only plain files are taken.`)
  else if (name === AGENT_ENTRY) {
    staged.agent = parse(ArchivedAgent, await readText(entry, MAX_AGENT_BYTES), AGENT_ENTRY)
  } else if (name === HISTORY_ENTRY) {
    const lines = (await readText(entry, MAX_HISTORY_BYTES)).split('\n').filter(Boolean)
    staged.lines = lines.map((line) => parse(ArchivedLine, line, HISTORY_ENTRY))
    for (const line of staged.lines) if (line.kind === 'message') parse(ModelMessage, line.body, HISTORY_ENTRY)
  } else if (name.startsWith(WORKSPACE_PREFIX)) {
    const path = parsePath(name.slice(WORKSPACE_PREFIX.length)).join('/')
    await files.write(`${folder}/${path}`, Readable.from(entry))
    staged.paths.add(path)
  } else entry.resume()
}

async function readText(entry: Entry, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of entry) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new ArchiveRefused(`${entry.header.name} is too large.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse<S extends z.ZodType>(schema: S, text: string, name: string): z.infer<S> {
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw new ArchiveRefused(`${name} has not the expected form.`, { cause: error })
  }
}

function replaceHistory(database: Database, lines: readonly z.infer<typeof ArchivedLine>[]): void {
  database.prepare('DELETE FROM messages').run()
  database.prepare('DELETE FROM histories').run()
  const addHistory = database.prepare('INSERT OR IGNORE INTO histories (history_id, chat_id, summary) VALUES (?, ?, ?)')
  const addMessage = database.prepare(
    'INSERT INTO messages (history_id, turn_id, role, body, text, compacted, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  for (const line of lines) {
    if (line.kind === 'history') addHistory.run(line.history_id, line.chat_id, line.summary)
    else {
      const { history_id, turn_id, role, body, text, compacted, created_at } = line
      addMessage.run(history_id, turn_id, role, body, text, compacted === 0 ? 0 : 1, created_at)
    }
  }
}

function limitBytes(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new ArchiveRefused('The archive is too large when unpacked.'))
      else done(null, chunk)
    },
  })
}

function explain(error: unknown): unknown {
  if (error instanceof ArchiveRefused) return error
  if (error instanceof FileRefused && (error.code === 'disk_full' || error.code === 'read_only')) return error
  if (error instanceof FileRefused)
    return new ArchiveRefused('The archive holds a path that may not be written.', { cause: error })
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isBroken =
    code.startsWith('Z_') || (error instanceof Error && /tar|premature|unexpected end/i.test(error.message))
  return isBroken ? new ArchiveRefused('This is not a complete tar.gz archive.', { cause: error }) : error
}
