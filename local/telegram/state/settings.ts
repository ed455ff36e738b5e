import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

/** Small values by key: webhook, commands, names, counters. */
export interface Settings {
  get<S extends z.ZodType>(key: string, schema: S): z.infer<S> | undefined
  put(key: string, value: unknown): void
  remove(key: string): void
  /** The next number of a counter; the first is `first`. */
  next(counter: string, first: number): number
}

export function createSettings(database: DatabaseSync): Settings {
  const select = database.prepare('SELECT json FROM settings WHERE key = ?')
  const upsert = database.prepare('INSERT OR REPLACE INTO settings (key, json) VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM settings WHERE key = ?')
  const settings: Settings = {
    get(key, schema) {
      const row = select.get(key)
      return row ? schema.parse(JSON.parse(String(row.json))) : undefined
    },
    put(key, value) {
      upsert.run(key, JSON.stringify(value))
    },
    remove(key) {
      remove.run(key)
    },
    next(counter, first) {
      const value = settings.get(`counter:${counter}`, z.int()) ?? first
      settings.put(`counter:${counter}`, value + 1)
      return value
    },
  }
  return settings
}
