/** Writes the archive as it is sent; nothing is collected in memory but one history line or file chunk. */
import { once } from 'node:events'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Pack } from 'tar-stream'
import type { z } from 'zod'
import { FileRefused, type WorkspaceFiles } from '../files.ts'
import {
  AGENT_ENTRY,
  ARCHIVE_FORMAT,
  type ArchivedAgent,
  type ArchivedHistory,
  type ArchivedMessage,
  HISTORY_ENTRY,
  type TransferPorts,
  WORKSPACE_PREFIX,
} from './archive.ts'

export function exportAgent(ports: TransferPorts): Readable {
  const out = new PassThrough()
  writeArchive(ports, out).catch((error: Error) => out.destroy(error))
  return out
}

async function writeArchive(ports: TransferPorts, out: Writable): Promise<void> {
  const { pack: createPack } = await import('tar-stream')
  const pack = createPack()
  const sent = pipeline(pack, createGzip(), out)
  const fill = async () => {
    await addText(pack, AGENT_ENTRY, JSON.stringify(describeAgent(ports), null, 2))
    await addText(pack, HISTORY_ENTRY, [...historyLines(ports)].map((line) => `${JSON.stringify(line)}\n`).join(''))
    await addFolder(pack, ports.files, '')
    pack.finalize()
  }
  const filled = fill().catch((error: Error) => {
    pack.destroy(error)
    throw error
  })
  await Promise.all([sent, filled])
}

function describeAgent({ config, version }: TransferPorts): z.infer<typeof ArchivedAgent> {
  const { name, systemPrompt, model, heartbeatInterval } = config.current()
  return {
    format: ARCHIVE_FORMAT,
    version,
    exported_at: new Date().toISOString(),
    config: { name, system_prompt: systemPrompt, model, heartbeat_interval: heartbeatInterval },
  }
}

function* historyLines({
  database,
}: TransferPorts): Generator<z.infer<typeof ArchivedHistory | typeof ArchivedMessage>> {
  for (const row of database.prepare('SELECT history_id, chat_id, summary FROM histories ORDER BY history_id').all()) {
    yield {
      kind: 'history',
      history_id: String(row.history_id),
      chat_id: String(row.chat_id),
      summary: String(row.summary),
    }
  }
  for (const row of database.prepare('SELECT * FROM messages ORDER BY id').iterate()) {
    yield {
      kind: 'message',
      history_id: String(row.history_id),
      turn_id: String(row.turn_id),
      role: String(row.role) as 'user',
      body: String(row.body),
      text: String(row.text),
      compacted: Number(row.compacted),
      created_at: String(row.created_at),
    }
  }
}

function addText(pack: Pack, name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry({ name, mode: 0o644 }, text, (error) => (error ? reject(error) : resolve()))
  })
}

async function addFolder(pack: Pack, files: WorkspaceFiles, folder: string): Promise<void> {
  for (const { name, kind } of await files.list(folder)) {
    const path = folder ? `${folder}/${name}` : name
    if (kind === 'dir') await addFolder(pack, files, path)
    else await addFile(pack, files, path)
  }
}

/** A file that vanishes or shrinks while it is read must not break the whole archive. */
async function addFile(pack: Pack, files: WorkspaceFiles, path: string): Promise<void> {
  const file = await files.read(path).catch((error: unknown) => {
    if (error instanceof FileRefused) return undefined
    throw error
  })
  if (!file) return
  const entry = pack.entry({
    name: `${WORKSPACE_PREFIX}${path}`,
    size: file.bytes,
    mtime: file.modifiedAt,
    mode: 0o644,
  })
  let missing = file.bytes
  for await (const chunk of file.stream()) {
    missing -= chunk.length
    await write(entry, chunk)
  }
  while (missing > 0) {
    const filler = Buffer.alloc(Math.min(missing, 65_536))
    missing -= filler.length
    await write(entry, filler)
  }
  entry.end(undefined)
}

type TarEntry = ReturnType<Pack['entry']>

async function write(entry: TarEntry, chunk: Buffer): Promise<void> {
  if (!entry.write(chunk)) await once(entry, 'drain')
}
