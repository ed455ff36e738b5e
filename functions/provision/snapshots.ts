/**
 * The last known state of each agent, in an object of its own: an archive as the agent wrote it, cut into rows. A new one replaces
 * the old only when it is whole.
 */
import { DurableObject } from 'cloudflare:workers'
import type { Bindings } from '../bindings.ts'
import { chunksOf } from './archive-chunks.ts'
import type { Snapshots as SnapshotsPort } from './provision-ports.ts'

/** Below the platform's limit for a row. */
const CHUNK_BYTES = 1_000_000
/** An agent with more than this keeps what was put aside before. */
const MAX_SNAPSHOT_BYTES = 512 * 1024 * 1024

export class SnapshotTooLarge extends Error {
  readonly code = 'snapshot_too_large'
}

export class Snapshots extends DurableObject<Bindings> {
  readonly #sql = this.ctx.storage.sql

  async save(archive: ReadableStream<Uint8Array>): Promise<{ bytes: number }> {
    this.#ensureTables()
    const version = crypto.randomUUID()
    let bytes = 0
    let count = 0
    try {
      for await (const chunk of chunksOf(archive, CHUNK_BYTES)) {
        bytes += chunk.byteLength
        if (bytes > MAX_SNAPSHOT_BYTES) throw new SnapshotTooLarge(`more than ${MAX_SNAPSHOT_BYTES} bytes`)
        this.#sql.exec('INSERT INTO chunks (version, position, bytes) VALUES (?, ?, ?)', version, count++, chunk)
      }
    } catch (error) {
      this.#sql.exec('DELETE FROM chunks WHERE version = ?', version)
      throw error
    }
    this.ctx.storage.transactionSync(() => {
      this.#sql.exec(
        'INSERT INTO current (id, version) VALUES (1, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
        version,
      )
      this.#sql.exec('DELETE FROM chunks WHERE version <> ?', version)
    })
    return { bytes }
  }

  async open(): Promise<ReadableStream<Uint8Array> | null> {
    this.#ensureTables()
    const [current] = this.#sql.exec<{ version: string }>('SELECT version FROM current').toArray()
    if (!current) return null
    let position = 0
    const next = () =>
      this.#sql
        .exec<{ bytes: ArrayBuffer }>(
          'SELECT bytes FROM chunks WHERE version = ? AND position = ?',
          current.version,
          position++,
        )
        .toArray()[0]
    return new ReadableStream<Uint8Array>({
      type: 'bytes',
      pull(controller) {
        const row = next()
        if (row) controller.enqueue(new Uint8Array(row.bytes))
        else controller.close()
      },
    })
  }

  async erase(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  /** After `deleteAll` they are gone while the object lives on. */
  #ensureTables(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS current (id INTEGER PRIMARY KEY CHECK (id = 1), version TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS chunks (version TEXT NOT NULL, position INTEGER NOT NULL, bytes BLOB NOT NULL,
                                         PRIMARY KEY (version, position));`)
  }
}

export function snapshotsIn(namespace: DurableObjectNamespace<Snapshots>): SnapshotsPort {
  return {
    save: (agentId, archive) => namespace.getByName(agentId).save(archive),
    open: async (agentId) => (await namespace.getByName(agentId).open()) ?? undefined,
    erase: (agentId) => namespace.getByName(agentId).erase(),
  }
}

/** A Worker without the binding keeps nothing aside. */
export const noSnapshots: SnapshotsPort = {
  async save(_, archive) {
    await archive.cancel()
    throw new Error('there is no binding for snapshots')
  },
  open: async () => undefined,
  erase: async () => undefined,
}
