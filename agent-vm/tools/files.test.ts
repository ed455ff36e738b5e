import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_VISITOR_BYTES, MAX_VISITOR_ENTRIES } from './confined/visitor-quota.ts'
import { makeRunner, VISITOR } from './tool-runner.fixture.ts'

describe('read_file', () => {
  test('numbers lines and pages through a long file', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), Array.from({ length: 3000 }, (_, index) => `line ${index + 1}`).join('\n'))
    const first = await run('read_file', { path: 'a.txt', limit: 2 })
    expect(first.content).toBe('    1\tline 1\n    2\tline 2\n[more follows: go on with offset 3]')
    const last = await run('read_file', { path: 'a.txt', offset: 3000 })
    expect(last).toMatchObject({ content: ' 3000\tline 3000', summary: 'read a.txt (lines 3000-3000)' })
    expect((await run('read_file', { path: 'a.txt', offset: 3001 })).content).toContain('only 3000 lines')
  })

  test('reads the beginning of a file larger than memory would like, and of one endless line', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'big.txt'), 'begin\n'.repeat(10_000))
    truncateSync(join(workspace, 'big.txt'), 3 * 1024 ** 3)
    expect((await run('read_file', { path: 'big.txt', limit: 1 })).content).toMatch(/begin/)
    writeFileSync(join(workspace, 'line.txt'), `${'x'.repeat(30_000_000)}\nend\n`)
    const { content } = await run('read_file', { path: 'line.txt' })
    expect(content.length).toBeLessThan(5000)
    expect(content).toContain('more characters in this line]\n    2\tend')
  })

  test('says of what is no text what it is and what to do', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.png'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'))
    const result = await run('read_file', { path: 'a.png' })
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(/binary file \(16 bytes, begins with 89504e470d0a1a0a\)[\s\S]*bash/)
    mkdirSync(join(workspace, 'folder'))
    expect((await run('read_file', { path: 'folder' })).content).toContain('Use list_dir')
    execFileSync('mkfifo', [join(workspace, 'pipe')])
    expect((await run('read_file', { path: 'pipe' })).content).toContain('not a regular file')
    expect((await run('read_file', { path: 'missing.txt' })).content).toContain('does not exist')
    writeFileSync(join(workspace, 'empty'), '')
    expect((await run('read_file', { path: 'empty' })).content).toBe('[empty is empty]')
  })

  test('reads Latin-1 prose and letters of every alphabet', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'latin.txt'), Buffer.from('Straße nach Köln, über die Brücke', 'latin1'))
    expect((await run('read_file', { path: 'latin.txt' })).ok).toBe(true)
    writeFileSync(join(workspace, 'all.txt'), 'Ελλάδα 中文 עברית 👩‍👩‍👧')
    expect((await run('read_file', { path: 'all.txt' })).content).toBe('    1\tΕλλάδα 中文 עברית 👩‍👩‍👧')
  })
})

describe('write_file', () => {
  test('makes folders, replaces in one move and keeps the mode', async () => {
    const { run, workspace } = await makeRunner()
    const made = await run('write_file', { path: 'a/b/run.sh', content: 'one\ntwo\n' })
    expect(made).toMatchObject({ ok: true, summary: 'wrote a/b/run.sh (2 lines)' })
    const path = join(workspace, 'a/b/run.sh')
    chmodSync(path, 0o750)
    const inode = statSync(path).ino
    expect((await run('write_file', { path, content: 'new' })).summary).toBe(`replaced ${path} (1 line)`)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o750)
    expect(statSync(path).ino).not.toBe(inode)
    expect(readdirSync(dirname(path))).toEqual(['run.sh'])
  })

  test('writes through a link inside the workspace and leaves the link', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'real'))
    writeFileSync(join(workspace, 'real/file'), 'old')
    symlinkSync('real/file', join(workspace, 'link'))
    expect((await run('write_file', { path: 'link', content: 'new' })).ok).toBe(true)
    expect(readlinkSync(join(workspace, 'link'))).toBe('real/file')
    expect(readFileSync(join(workspace, 'real/file'), 'utf8')).toBe('new')
  })

  test('refuses folders and what is no regular file', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'folder'))
    for (const path of ['folder', '.', 'folder/']) {
      expect((await run('write_file', { path, content: 'x' })).ok).toBe(false)
    }
    writeFileSync(join(workspace, 'file'), 'x')
    expect((await run('write_file', { path: 'file/below', content: 'x' })).content).toContain('not a folder')
  })
})

describe('edit_file', () => {
  test('what would grow beyond all bounds is refused, and a command that runs meanwhile goes on', async () => {
    const { run, workspace, logged } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), 'a'.repeat(400))
    const command = run('bash', { command: 'until [ -e done ]; do sleep 0.05; done; echo on' })
    const input = { path: 'a.txt', old_text: 'a', new_text: 'b'.repeat(1_000_000), replace_all: true }
    const refused = await run('edit_file', input)
    expect(refused.content).toContain('Nothing was changed')
    writeFileSync(join(workspace, 'done'), '')
    expect(await command).toMatchObject({ ok: true, content: 'on' })
    expect(logged).not.toContainEqual(expect.objectContaining({ event: 'tool_process_died' }))
  })

  test('replaces one exact passage and shows the result', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), 'one\ntwo $& $1\nthree\n')
    const result = await run('edit_file', { path: 'a.txt', old_text: 'two $& $1', new_text: 'zwei $& $2' })
    expect(result).toMatchObject({ ok: true, summary: 'edited a.txt (line 2)' })
    expect(result.content).toContain('    2\tzwei $& $2')
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('one\nzwei $& $2\nthree\n')
  })

  test('changes nothing when the passage is not unique, unless told', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), 'x\nx\ny\nx\n')
    const refused = await run('edit_file', { path: 'a.txt', old_text: 'x', new_text: 'z' })
    expect(refused.content).toMatch(/occurs 3 times in a.txt \(lines 1, 2, 4\)[\s\S]*replace_all/)
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('x\nx\ny\nx\n')
    const all = await run('edit_file', { path: 'a.txt', old_text: 'x', new_text: 'z', replace_all: true })
    expect(all.summary).toBe('edited a.txt (3 places)')
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('z\nz\ny\nz\n')
  })

  test('shows what comes near when the passage is not there', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.ts'), 'function a() {\n\treturn compute(1)\n}\n\nfunction b() {}\n')
    const spaces = await run('edit_file', { path: 'a.ts', old_text: '  return compute(1)', new_text: 'x' })
    expect(spaces.content).toMatch(/Only the white space differs here \(line 2\)[\s\S]* {4}2\t\treturn compute\(1\)/)
    const near = await run('edit_file', { path: 'a.ts', old_text: 'return compute(2)', new_text: 'x' })
    expect(near.content).toMatch(/nearest place \(line 2\)/)
    const far = await run('edit_file', { path: 'a.ts', old_text: 'zebra', new_text: 'x' })
    expect(far.content).toContain('Nothing in the file comes near')
  })

  test('keeps Windows line ends', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), 'one\r\ntwo\r\nthree\r\n')
    expect((await run('edit_file', { path: 'a.txt', old_text: 'one\ntwo', new_text: '1\n2' })).ok).toBe(true)
    expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('1\r\n2\r\nthree\r\n')
  })

  test('refuses an edit that changes nothing, and files that are no text', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.bin'), Buffer.from([0, 1, 2]))
    expect((await run('edit_file', { path: 'a.bin', old_text: 'a', new_text: 'b' })).content).toContain('binary')
    expect((await run('edit_file', { path: 'a.bin', old_text: 'a', new_text: 'a' })).content).toContain('the same')
  })
})

describe('list_dir and search_files', () => {
  test('lists folders first, with sizes and where links lead', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'zoo'))
    writeFileSync(join(workspace, 'a.txt'), 'x'.repeat(2048))
    symlinkSync('/etc', join(workspace, 'out'))
    const lines = (await run('list_dir', {})).content.split('\n')
    expect(lines[0]).toBe('zoo/')
    expect(lines[1]).toMatch(/^a\.txt {2}2\.0 KB {2}\d{4}-/)
    expect(lines[2]).toBe('out -> /etc')
    expect((await run('list_dir', { path: 'zoo' })).content).toBe('[zoo is empty]')
    expect((await run('list_dir', { path: 'a.txt' })).content).toContain('Use read_file')
  })

  test('shows the first of very many entries', async () => {
    const { run, workspace } = await makeRunner()
    for (let index = 0; index < 600; index++) writeFileSync(join(workspace, `f${index}`), '')
    expect((await run('list_dir', {})).content).toMatch(/\[… 100 more entries\]$/)
  })

  test('finds lines by pattern and files by name', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'notes/deep'), { recursive: true })
    mkdirSync(join(workspace, 'node_modules'))
    writeFileSync(join(workspace, 'notes/a.md'), 'Milk\nbread and milk\n')
    writeFileSync(join(workspace, 'notes/deep/b.md'), 'milk\n')
    writeFileSync(join(workspace, 'node_modules/c.md'), 'milk\n')
    writeFileSync(join(workspace, 'd.bin'), Buffer.concat([Buffer.from('milk'), Buffer.alloc(10)]))
    expect((await run('search_files', { pattern: '^milk$' })).content).toBe('notes/deep/b.md:1: milk')
    const all = await run('search_files', { pattern: 'milk', ignore_case: true, glob: 'notes/*.md' })
    expect(all.content).toBe('notes/a.md:1: Milk\nnotes/a.md:2: bread and milk')
    expect((await run('search_files', { glob: '*.md' })).content).toBe('notes/a.md\nnotes/deep/b.md')
    expect((await run('search_files', { pattern: 'x', path: 'notes' })).content).toBe('[nothing found in 2 files]')
    expect((await run('search_files', { pattern: '(' })).content).toContain('no valid JavaScript regular expression')
    expect((await run('search_files', {})).content).toContain('Give a pattern')
  })

  test('shows a bounded number of matches', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a'), 'hit\n'.repeat(5000))
    const { content, summary } = await run('search_files', { pattern: 'hit' })
    expect(content.split('\n')).toHaveLength(201)
    expect(content).toContain('narrow it down')
    expect(summary).toContain('200+')
  })
})

describe('send_file', () => {
  test('names the file relative to the workspace', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'out'))
    writeFileSync(join(workspace, 'out/a.pdf'), 'x')
    const sent = await run('send_file', { path: join(workspace, 'out/a.pdf'), caption: 'Here' })
    expect(sent).toMatchObject({ ok: true, files: [{ path: 'out/a.pdf', caption: 'Here' }] })
  })

  test('refuses what cannot be sent, and says why', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'empty'), '')
    writeFileSync(join(workspace, 'huge'), 'x')
    truncateSync(join(workspace, 'huge'), 60 * 1024 * 1024)
    expect((await run('send_file', { path: 'empty' })).content).toContain('empty')
    expect((await run('send_file', { path: 'huge' })).content).toContain('60.0 MB')
    expect((await run('send_file', { path: '.' })).content).toContain('pack it first')
  })
})

describe('confined to the workspace', () => {
  const OUTSIDE = ['/etc/passwd', '../data/x', 'a/../../x', '~/x', '/proc/self/environ', 'x\0y', '//etc/passwd']

  test.each(OUTSIDE)('refuses the path %j in every file tool', async (path) => {
    const { run } = await makeRunner()
    const calls = [
      ['read_file', { path }],
      ['write_file', { path, content: 'x' }],
      ['edit_file', { path, old_text: 'a', new_text: 'b' }],
      ['list_dir', { path }],
      ['search_files', { path, pattern: 'root' }],
      ['send_file', { path }],
    ] as const
    for (const [name, input] of calls) expect(await run(name, input)).toMatchObject({ ok: false })
  })

  test('links do not lead out: of a file, of a folder, of a link to a link', async () => {
    const { run, workspace } = await makeRunner()
    const outside = join(workspace, '..', 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret.txt'), 'SECRET')
    symlinkSync(join(outside, 'secret.txt'), join(workspace, 'file'))
    symlinkSync('../outside', join(workspace, 'folder'))
    symlinkSync('folder', join(workspace, 'chain'))
    symlinkSync('loop', join(workspace, 'loop'))
    for (const path of ['file', 'folder/secret.txt', 'chain/secret.txt', 'loop']) {
      for (const name of ['read_file', 'send_file', 'edit_file', 'write_file', 'list_dir']) {
        const result = await run(name, { path, content: 'x', old_text: 'SECRET', new_text: 'x' })
        expect(result.ok, `${name} ${path}`).toBe(false)
        expect(result.content).not.toContain('SECRET')
      }
    }
    expect((await run('write_file', { path: 'folder/new.txt', content: 'x' })).ok).toBe(false)
    expect((await run('write_file', { path: 'chain/deep/new.txt', content: 'x' })).ok).toBe(false)
    expect((await run('search_files', { pattern: 'SECRET' })).content).toMatch(/nothing found/)
    expect(readdirSync(outside)).toEqual(['secret.txt'])
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('SECRET')
  })

  test.runIf(process.platform === 'linux')(
    'a link that is swapped in while we look does not lead out either',
    async () => {
      const { run, workspace } = await makeRunner()
      const outside = join(workspace, '..', 'outside')
      mkdirSync(join(outside, 'd'), { recursive: true })
      writeFileSync(join(outside, 'd/f'), 'SECRET')
      mkdirSync(join(workspace, 'good'))
      writeFileSync(join(workspace, 'good/f'), 'harmless')
      // Another process makes `d` a link inside and outside, over and over.
      const swap = run('bash', {
        command: 'while :; do ln -sfn good d2 && mv -T d2 d; ln -sfn ../outside/d d3 && mv -T d3 d; done',
        timeout_s: 4,
      })
      let inside = 0
      let refused = 0
      const until = performance.now() + 2500
      // A busy machine may not come to so many tries in that time.
      while (performance.now() < until || inside + refused <= 10) {
        const read = await run('read_file', { path: 'd/f' })
        expect(read.content).not.toContain('SECRET')
        const write = await run('write_file', { path: 'd/g', content: 'x' })
        if (read.ok && write.ok) inside++
        else refused++
      }
      await swap
      expect(readdirSync(join(outside, 'd'))).toEqual(['f'])
      expect(inside + refused).toBeGreaterThan(10)
    },
  )
})

describe('a visitor', () => {
  test('lives in a folder of their own and sees nothing else', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'memory'))
    writeFileSync(join(workspace, 'memory/MEMORY.md'), 'SECRET of the owner')
    mkdirSync(join(workspace, 'visitors/88'), { recursive: true })
    writeFileSync(join(workspace, 'visitors/88/mine.txt'), 'SECRET of another visitor')
    const visitor = { user: VISITOR }
    expect((await run('write_file', { path: 'a.txt', content: 'mine' }, visitor)).ok).toBe(true)
    expect(readFileSync(join(workspace, 'visitors/77/a.txt'), 'utf8')).toBe('mine')
    for (const path of ['visitors/77/a.txt', 'a.txt', join(workspace, 'visitors/77/a.txt')]) {
      expect((await run('read_file', { path }, visitor)).content, path).toBe('    1\tmine')
    }
    expect((await run('send_file', { path: 'a.txt' }, visitor)).files).toEqual([{ path: 'visitors/77/a.txt' }])
    const foreign = [
      'memory/MEMORY.md',
      '../88/mine.txt',
      'visitors/88/mine.txt',
      '../../memory/MEMORY.md',
      join(workspace, 'memory/MEMORY.md'),
    ]
    for (const path of foreign) {
      const result = await run('read_file', { path }, visitor)
      expect(result.ok, path).toBe(false)
      expect(result.content).not.toContain('SECRET')
    }
    expect((await run('list_dir', {}, visitor)).content).toMatch(/^a\.txt/)
    expect((await run('search_files', { pattern: 'SECRET' }, visitor)).content).toContain('nothing found')
  })

  test('cannot fill the disk: their folder has a size, and says so', async () => {
    const { run, workspace } = await makeRunner()
    const visitor = { user: VISITOR }
    expect((await run('write_file', { path: 'a.txt', content: 'mine' }, visitor)).ok).toBe(true)
    // Sparse: it counts as large and takes no room.
    truncateSync(join(workspace, 'visitors/77/a.txt'), MAX_VISITOR_BYTES - 10)
    expect((await run('write_file', { path: 'b.txt', content: 'ten bytes.' }, visitor)).ok).toBe(true)
    const refused = await run('write_file', { path: 'c.txt', content: '1' }, visitor)
    expect(refused).toMatchObject({ ok: false, content: expect.stringContaining('Your folder is full: 100 MB') })
    expect(existsSync(join(workspace, 'visitors/77/c.txt'))).toBe(false)
    const edit = { path: 'b.txt', old_text: 'ten', new_text: 'eleven' }
    expect((await run('edit_file', edit, visitor)).content).toContain('Your folder is full')
    // What makes room is allowed, and nobody else is held up by it.
    expect((await run('write_file', { path: 'a.txt', content: 'small' }, visitor)).ok).toBe(true)
    expect((await run('write_file', { path: 'c.txt', content: '1' }, visitor)).ok).toBe(true)
    expect((await run('write_file', { path: 'big.txt', content: 'x' })).ok).toBe(true)
  })

  test('cannot fill it with empty files either', async () => {
    const { run, workspace } = await makeRunner()
    const own = join(workspace, 'visitors/77')
    mkdirSync(own, { recursive: true })
    for (let count = 0; count < MAX_VISITOR_ENTRIES; count++) writeFileSync(join(own, `${count}`), '')
    const refused = await run('write_file', { path: 'one-more', content: '' }, { user: VISITOR })
    expect(refused.content).toContain('Your folder is full')
    expect((await run('write_file', { path: '0', content: 'x' }, { user: VISITOR })).ok).toBe(true)
  })

  test('cannot name their way into another folder', async () => {
    const { run, workspace } = await makeRunner()
    for (const id of ['../..', '..', '.', 'a/../../..', '']) {
      await run('write_file', { path: 'x', content: 'x' }, { user: { ...VISITOR, id } })
    }
    expect(existsSync(join(workspace, 'x'))).toBe(false)
    expect(existsSync(join(workspace, '..', 'x'))).toBe(false)
  })

  test('a folder that is a link is not theirs', async () => {
    const { run, workspace } = await makeRunner()
    mkdirSync(join(workspace, 'visitors'))
    mkdirSync(join(workspace, 'memory'))
    symlinkSync('../memory', join(workspace, 'visitors/77'))
    expect((await run('write_file', { path: 'x', content: 'x' }, { user: VISITOR })).ok).toBe(false)
    expect(readdirSync(join(workspace, 'memory'))).toEqual([])
  })
})

describe('a workspace that does not take anything', () => {
  test.skipIf(process.getuid?.() === 0)('read-only: errors the model can act on, and reading goes on', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a'), 'x')
    chmodSync(workspace, 0o555)
    expect((await run('write_file', { path: 'b', content: 'x' })).content).toContain('permission denied')
    expect((await run('read_file', { path: 'a' })).ok).toBe(true)
    expect((await run('bash', { command: 'seq 1 20000' })).content).toContain('could not be kept')
    chmodSync(workspace, 0o755)
  })

  test.runIf(mayMount())('full: nothing is changed, and the error says so', async () => {
    const { run, workspace } = await makeRunner()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', workspace])
    try {
      expect((await run('write_file', { path: 'a', content: 'before' })).ok).toBe(true)
      const full = await run('write_file', { path: 'a', content: 'x'.repeat(200_000) })
      expect(full.content).toContain('disk is full')
      expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('before')
      expect(readdirSync(workspace)).toEqual(['a'])
      expect((await run('bash', { command: 'seq 1 60000' })).content).toContain('could not be kept (ENOSPC)')
      execFileSync('mount', ['-o', 'remount,ro', workspace])
      expect((await run('write_file', { path: 'a', content: 'x' })).content).toContain('read-only')
      expect((await run('read_file', { path: 'a' })).ok).toBe(true)
    } finally {
      execFileSync('umount', ['-l', workspace])
    }
  })
})

test('hard links of the owner stay what they are', async () => {
  const { run, workspace } = await makeRunner()
  writeFileSync(join(workspace, 'a'), 'x')
  linkSync(join(workspace, 'a'), join(workspace, 'b'))
  expect((await run('write_file', { path: 'b', content: 'y' })).ok).toBe(true)
  expect(readFileSync(join(workspace, 'a'), 'utf8')).toBe('x')
})

function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
