/**
 * The handlers' small values. Writes are held back until the update's whole outcome is committed with them. Lanes decide side by
 * side, and wait for the database meanwhile: a value that another one has changed since it was read here stays as it is.
 */
import type { z } from 'zod'
import type { ChatDatabase } from './chat-database.ts'
import type { ChatStore } from './handling.ts'

export interface BufferedStore extends ChatStore {
  /** Writes what was put and deleted; to be called inside the transaction that commits the rest. */
  flush(): void
}

export function openStore(database: ChatDatabase): BufferedStore {
  const buffered = new Map<string, string | undefined>()
  const seen = new Map<string, string | undefined>()
  const stored = (key: string): string | undefined => {
    const [row] = database.query('SELECT value FROM store WHERE key = ?', key)
    return typeof row?.value === 'string' ? row.value : undefined
  }
  return {
    get<S extends z.ZodType>(key: string, schema: S): z.infer<S> | undefined {
      const json = buffered.has(key) ? buffered.get(key) : stored(key)
      if (!buffered.has(key)) seen.set(key, json)
      if (json === undefined) return undefined
      // A value of an older release that no longer fits counts as absent: better a wizard begun anew than a stuck chat.
      const parsed = schema.safeParse(JSON.parse(json))
      return parsed.success ? parsed.data : undefined
    },
    put: (key, value) => void buffered.set(key, JSON.stringify(value)),
    delete: (key) => void buffered.set(key, undefined),
    flush() {
      for (const [key, json] of buffered) {
        if (seen.has(key) && stored(key) !== seen.get(key)) continue
        if (json === undefined) database.query('DELETE FROM store WHERE key = ?', key)
        else
          database.query(
            'INSERT INTO store (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
            key,
            json,
          )
      }
      buffered.clear()
      seen.clear()
    },
  }
}
