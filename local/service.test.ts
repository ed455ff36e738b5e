import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { startProcess } from './child-process.ts'
import { ServiceFailed, startService } from './service.ts'

const node = (script: string) => ({ command: process.execPath, args: ['-e', script], env: { PATH: process.env.PATH } })
const isReady = { line: (line: string) => line === 'ready' }

/** A killed process that nobody has reaped yet is not alive, though signal 0 still reaches it. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z /s.test(existsSync('/proc/self/stat') ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '')
  } catch {
    return false
  }
}

describe('a service', () => {
  test('is started again when it dies', async () => {
    const restarted = Promise.withResolvers<string>()
    const service = await startService({
      name: 'part',
      ...node('console.log("ready"); setInterval(() => {}, 1000)'),
      ready: isReady,
      onRestart: restarted.resolve,
    })
    const first = service.pid()
    process.kill(first, 'SIGKILL')
    expect(await restarted.promise).toBe('ended with SIGKILL')
    expect(service.pid()).not.toBe(first)
    await service.stop()
    expect(isAlive(service.pid())).toBe(false)
  })

  test('that ends before it is ready says its last words', async () => {
    const start = startService({ name: 'part', ...node('console.error("no port"); process.exit(3)'), ready: isReady })
    await expect(start).rejects.toThrow(/part ended before it was ready.\nno port/)
    await expect(start).rejects.toBeInstanceOf(ServiceFailed)
  })

  test('that cannot be started at all is told', async () => {
    const start = startService({ name: 'part', command: '/nowhere/part', args: [], ready: isReady })
    await expect(start).rejects.toThrow(/could not be started/)
  })

  test('takes what it started with it, also one that ignores SIGTERM', async () => {
    const child = Promise.withResolvers<number>()
    const parent = startProcess({
      name: 'part',
      ...node(`
        const { spawn } = require('node:child_process')
        const kid = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'pipe', 'ignore'] })
        kid.stdout.once('data', () => console.log(String(kid.pid)))
      `),
      onLine: (line) => child.resolve(Number(line)),
    })
    const kid = await child.promise
    expect(isAlive(kid)).toBe(true)
    await parent.stop()
    await expect.poll(() => isAlive(kid)).toBe(false)
  })

  test('is stopped by the signal it was started with', async () => {
    const abort = new AbortController()
    const started = startProcess({ name: 'part', ...node('setInterval(() => {}, 1000)'), signal: abort.signal })
    abort.abort()
    expect(await started.ended).toEqual({ code: null, signal: 'SIGTERM' })
  })
})
