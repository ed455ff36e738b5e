/**
 * Takes an archive. First everything is read, checked and laid into a folder of its own; only a whole and sound archive is
 * then applied: files are moved into place, history and configuration replaced in one transaction. Other files stay.
 */
import { randomBytes } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
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
import { createTarGuard } from './tar-guard.ts'

/** Against archives that grow without end when unpacked. */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
/** Files, folders and the extended headers before them. */
const MAX_HEADERS = 100_000
const MAX_AGENT_BYTES = 256 * 1024
const MAX_HISTORY_BYTES = 64 * 1024 * 1024
const MAX_HISTORY_LINES = 500_000
const MAX_PATH_BYTES = 1024

export interface Imported {
  readonly files: number
  readonly messages: number
  /** What the agent is from now on. */
  readonly config: { readonly name: string; readonly system_prompt: string; readonly model: string }
}

/** One file of the archive: its header and its bytes. */
type Entry = AsyncIterable<Buffer> & { readonly header: Header; resume(): unknown }

interface Staged {
  agent?: z.infer<typeof ArchivedAgent>
  lines: z.infer<typeof ArchivedLine>[]
  readonly paths: Set<string>
}

interface ImportOptions {
  /** Packed: an archive may unpack to nothing and still never end. */
  readonly maxArchiveBytes?: number
  readonly maxUnpackedBytes?: number
  /** Asked when everything is ready to be applied; may throw. */
  readonly beforeApplying?: () => void
}

/** @throws {ArchiveRefused} when it is not a sound archive; nothing was changed then */
export async function importAgent(
  body: Readable,
  ports: TransferPorts,
  options: ImportOptions = {},
): Promise<Imported> {
  const folder = `.import-${randomBytes(6).toString('hex')}`
  try {
    const staged = await stage(body, { folder, files: ports.files, ...options })
    if (!staged.agent) throw new ArchiveRefused(`The archive has no ${AGENT_ENTRY}.`)
    for (const path of staged.paths) await ports.files.checkReplaceable(path)
    options.beforeApplying?.()
    for (const path of staged.paths) await ports.files.move(`${folder}/${path}`, path)
    ports.database.durably(() => replaceHistory(ports.database, staged.lines))
    const { name, system_prompt, model, heartbeat_interval } = staged.agent.config
    ports.config.update({ name, system_prompt, model, heartbeat_interval })
    const messages = staged.lines.filter(({ kind }) => kind === 'message').length
    return { files: staged.paths.size, messages, config: { name, system_prompt, model } }
  } catch (error) {
    throw explain(error)
  } finally {
    await ports.files.removeFolder(folder).catch(() => undefined)
  }
}

type StageOptions = ImportOptions & { readonly folder: string; readonly files: WorkspaceFiles }

async function stage(
  body: Readable,
  { folder, files, maxArchiveBytes = MAX_UNPACKED_BYTES, maxUnpackedBytes = MAX_UNPACKED_BYTES }: StageOptions,
): Promise<Staged> {
  const { extract: createExtract } = await import('tar-stream')
  const staged: Staged = { lines: [], paths: new Set() }
  const extract = createExtract()
  const unpacked = pipeline(
    body,
    limitBytes(maxArchiveBytes, 'The archive is too large.'),
    createGunzip(),
    limitBytes(maxUnpackedBytes, 'The archive is too large when unpacked.'),
    createTarGuard(MAX_HEADERS),
    extract,
  )
  const read = async () => {
    for await (const entry of extract) await stageEntry(entry as Entry, folder, files, staged)
  }
  const done = read().catch((error: Error) => {
    extract.destroy(error)
    throw error
  })
  const [failed] = (await Promise.allSettled([unpacked, done])).filter(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return staged
}

async function stageEntry(entry: Entry, folder: string, files: WorkspaceFiles, staged: Staged): Promise<void> {
  const { name, type } = entry.header
  if (type === 'directory') entry.resume()
  else if (type !== 'file') throw new ArchiveRefused(`The archive holds a ${type}: only plain files are taken.`)
  else if (name === AGENT_ENTRY) {
    staged.agent = parse(ArchivedAgent, await readText(entry, MAX_AGENT_BYTES), AGENT_ENTRY)
  } else if (name === HISTORY_ENTRY) staged.lines = await readHistory(entry)
  else if (name.startsWith(WORKSPACE_PREFIX)) {
    const path = parsePath(name.slice(WORKSPACE_PREFIX.length)).join('/')
    if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES) throw new FileRefused('forbidden')
    await files.write(`${folder}/${path}`, Readable.from(entry))
    staged.paths.add(path)
  } else entry.resume()
}

/** Line by line: what is no line of a history must not fill the memory before it is looked at. */
async function readHistory(entry: Entry): Promise<Staged['lines']> {
  const lines: Staged['lines'] = []
  let count = 0
  const take = (text: string) => {
    if (++count > MAX_HISTORY_LINES) throw new ArchiveRefused(`${HISTORY_ENTRY} has too many lines.`)
    if (text === '') return
    const line = parse(ArchivedLine, text, HISTORY_ENTRY)
    if (line.kind === 'message') parse(ModelMessage, line.body, HISTORY_ENTRY)
    lines.push(line)
  }
  const decoder = new StringDecoder('utf8')
  let open: string[] = []
  for await (const chunk of limited(entry, MAX_HISTORY_BYTES)) {
    const [first = '', ...rest] = decoder.write(chunk).split('\n')
    open.push(first)
    for (const start of rest) {
      take(open.join(''))
      open = [start]
    }
  }
  take(open.join('') + decoder.end())
  return lines
}

async function readText(entry: Entry, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of limited(entry, maxBytes)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function* limited(entry: Entry, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of entry) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new ArchiveRefused(`${entry.header.name} is too large.`)
    yield chunk
  }
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

function limitBytes(maxBytes: number, message: string): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new ArchiveRefused(message))
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
    code.startsWith('Z_') ||
    (error instanceof Error && /tar|premature|unexpected end|invalid header/i.test(error.message))
  return isBroken ? new ArchiveRefused('This is not a complete tar.gz archive.', { cause: error }) : error
}
