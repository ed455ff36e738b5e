import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../tools/tool-runner.fixture.ts'
import { MAX_MEMORY_CHARS, readMemorySnapshot } from './memory-snapshot.ts'

describe('readMemorySnapshot', () => {
  test('holds the memory and the newest two daily notes', async () => {
    const workspace = makeWorkspace({
      'MEMORY.md': '# Memory\n<!-- how to -->\n- Ana lives in Berlin\n',
      '2026-01-01.md': 'old',
      '2026-11-22.md': 'yesterday',
      '2026-11-23.md': 'today',
      'other.md': 'not read',
    })
    expect(await readMemorySnapshot(workspace)).toBe(
      '## memory/MEMORY.md\n# Memory\n\n- Ana lives in Berlin\n\n## memory/2026-11-22.md\nyesterday\n\n## memory/2026-11-23.md\ntoday',
    )
  })

  test('is empty without a memory, and with nothing but headings and comments', async () => {
    expect(await readMemorySnapshot(makeFolder())).toBe('')
    expect(await readMemorySnapshot('/no/such/folder')).toBe('')
    const workspace = makeWorkspace({ 'MEMORY.md': '# Memory\n<!-- note\n- example -->\n## People\n' })
    expect(await readMemorySnapshot(workspace)).toBe('')
  })

  test('the template that a new agent gets is empty memory', async () => {
    expect(await readMemorySnapshot(join(import.meta.dirname, '../../workspace'))).toBe('')
  })

  test('is bounded: the beginning of the memory, the end of the notes', async () => {
    const long = (first: string, last: string) => `${first}\n${'x'.repeat(100_000)}\n${last}`
    const workspace = makeWorkspace({
      'MEMORY.md': long('FIRST', 'LAST'),
      '2026-11-23.md': `${'y'.repeat(9000)}\nLATEST`,
    })
    const snapshot = await readMemorySnapshot(workspace)
    expect(snapshot.length).toBeLessThan(MAX_MEMORY_CHARS + 5000)
    expect(snapshot).toContain('FIRST')
    expect(snapshot).not.toContain('LAST\n')
    expect(snapshot).toContain('LATEST')
    expect(snapshot).toContain('shortened')
  })

  test('never reads the server’s own files: not by a link, a hard link, a pipe or a linked folder', async () => {
    const outside = makeFolder()
    writeFileSync(join(outside, 'MEMORY.md'), 'SECRET')
    const link = makeWorkspace({})
    symlinkSync(join(outside, 'MEMORY.md'), join(link, 'memory/MEMORY.md'))
    const hard = makeWorkspace({})
    linkSync(join(outside, 'MEMORY.md'), join(hard, 'memory/MEMORY.md'))
    const pipe = makeWorkspace({})
    execFileSync('mkfifo', [join(pipe, 'memory/MEMORY.md')])
    const folder = makeFolder()
    symlinkSync(outside, join(folder, 'memory'))
    for (const workspace of [link, hard, pipe, folder]) expect(await readMemorySnapshot(workspace)).toBe('')
  })

  test('a file that is cut inside a character is still text', async () => {
    const workspace = makeWorkspace({ 'MEMORY.md': '€'.repeat(60_000) })
    expect((await readMemorySnapshot(workspace)).isWellFormed()).toBe(true)
  })
})

function makeWorkspace(files: Record<string, string>): string {
  const workspace = makeFolder()
  mkdirSync(join(workspace, 'memory'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(workspace, 'memory', name), text)
  return workspace
}
