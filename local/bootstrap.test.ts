import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from './settings.ts'

let folder: string
let shell: ChildProcess | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-bootstrap-'))
})
afterEach(async () => {
  // The whole group: when this fails, what is left over is exactly what nobody else ends.
  if (shell?.pid !== undefined) endGroup(shell.pid)
  await rm(folder, { recursive: true, force: true })
})

test('ends with the npm that started it: npm hands a signal to its shell alone, and that to nobody', async () => {
  const program = join(folder, 'program.mjs')
  await writeFile(
    program,
    `process.on('SIGTERM', () => { console.log('stopping in order'); process.exit(0) })
     setInterval(() => undefined, 1000)
     console.log('up')`,
  )
  const command = `"${process.execPath}" local/bootstrap.mjs "${relative(ROOT, program)}"; true`
  const started = spawn('sh', ['-c', command], {
    cwd: ROOT,
    env: { ...process.env, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  shell = started
  const lines = createInterface({ input: started.stdout })
  expect(await once(lines, 'line')).toEqual(['up'])
  started.kill('SIGTERM')
  expect(await once(lines, 'line')).toEqual(['stopping in order'])
})

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
