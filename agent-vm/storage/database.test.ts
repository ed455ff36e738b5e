import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DatabaseTooNew, openDatabase } from './database.ts'

const ONE = ['CREATE TABLE said (text TEXT)']
const THREE = [...ONE, 'ALTER TABLE said ADD COLUMN at TEXT', 'CREATE TABLE more (id INTEGER)']

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'database-'))
  path = join(folder, 'agent.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(migrations: readonly string[], text: string): void {
  const database = openDatabase(path, migrations)
  database.prepare('INSERT INTO said (text) VALUES (?)').run(text)
  database.close()
}

function read(file: string, migrations: readonly string[]): unknown[] {
  const database = openDatabase(file, migrations)
  const rows = database.prepare('SELECT text FROM said').all()
  database.close()
  return rows.map(({ text }) => text)
}

describe('a newer program', () => {
  test('leaves what an older one can read beside what it makes of it', () => {
    write(ONE, 'hello')
    write(THREE, 'only the newer one knows this')
    expect(() => openDatabase(path, ONE)).toThrow(DatabaseTooNew)
    expect(statSync(`${path}.former`).mode & 0o077).toBe(0)
    expect(read(`${path}.former`, ONE)).toEqual(['hello'])
    expect(read(path, THREE)).toEqual(['hello', 'only the newer one knows this'])
  })

  test('that fails in the middle has changed nothing, and what it left behind is in nobody’s way', () => {
    write(ONE, 'hello')
    expect(() => openDatabase(path, [...THREE, 'no statement at all'])).toThrow()
    writeFileSync(`${path}.former.new`, 'half')
    expect(read(path, ONE)).toEqual(['hello'])
    expect(read(path, THREE)).toEqual(['hello'])
    expect(existsSync(`${path}.former.new`)).toBe(false)
  })

  test('keeps nothing where it changes nothing', () => {
    write(THREE, 'hello')
    write(THREE, 'again')
    expect(existsSync(`${path}.former`)).toBe(false)
  })
})
