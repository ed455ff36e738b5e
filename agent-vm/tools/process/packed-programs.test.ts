import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type AgentBundle, buildAgentBundle } from '../../bundle.ts'
import { readVersion } from '../../version.ts'
import { makeFolder } from '../tool-runner.fixture.ts'
import { findLaunchFacts, planLaunch, toolProcessEntry } from './launch.ts'
import { createToolProcess } from './tool-process-client.ts'

let folder: string
let bundle: AgentBundle

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-bundle-'))
  bundle = await buildAgentBundle(join(folder, 'agent.mjs'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function start(web: boolean) {
  const workspacePath = makeFolder()
  const launch = planLaunch(findLaunchFacts(undefined), workspacePath, toolProcessEntry(bundle.path, { web }))
  const tools = createToolProcess({ launch, workspacePath, log: () => undefined, idleMs: 60_000 })
  onTestFinished(() => tools.close())
  return tools
}

const context = { folder: '', signal: new AbortController().signal }

test('tools run out of the one bundled file', async () => {
  const tools = start(false)
  await tools.call({ ...context, operation: 'write_file', input: { path: 'a', content: 'x' } })
  const result = await tools.call({ ...context, operation: 'bash', input: { command: 'cat a; id -u', timeout_s: 30 } })
  expect(result).toMatchObject({ ok: true, content: `x${process.getuid?.()}` })
})

test('so does reading the web, HTML libraries included', async () => {
  const tools = start(true)
  const result = await tools.call({ ...context, operation: 'web_fetch', input: { url: 'http://10.1/', offset: 0 } })
  expect(result.content).toContain('10.0.0.1 is not on the public internet')
})

test('what a command line shows of it is short, and the file knows its own version', () => {
  const args = toolProcessEntry(bundle.path, { web: false })
  expect(args.join(' ').length).toBeLessThan(800)
  expect(args.slice(-2)).toEqual([bundle.path, 'tools'])
  expect(readVersion(bundle.path)).toBe(bundle.version)
})

test('the sources start their own small entry', () => {
  expect(toolProcessEntry('/src/tools/create-tool-runner.ts', { web: false })).toEqual([
    '/src/tools/process/run-from-sources.ts',
  ])
})
