import { expect, onTestFinished, test } from 'vitest'
import { makeFolder } from '../tool-runner.fixture.ts'
import { findLaunchFacts, planLaunch, toolProcessEntry } from './launch.ts'
import { createToolProcess } from './tool-process-client.ts'
import { buildToolProcessSource } from './tool-process-source.ts'

test('the small script for the bundle does what the sources do', async () => {
  const source = await buildToolProcessSource()
  // No schema library, no HTML: that is its point.
  expect(source.length).toBeLessThan(40_000)
  const workspacePath = makeFolder()
  const launch = planLaunch(findLaunchFacts(undefined), workspacePath, ['--input-type=module', '-e', source])
  const tools = createToolProcess({ launch, workspacePath, log: () => undefined, idleMs: 60_000 })
  onTestFinished(() => tools.close())
  const signal = new AbortController().signal
  const call = { folder: '', signal }
  await tools.call({ ...call, operation: 'write_file', input: { path: 'a', content: 'x' } })
  expect(await tools.call({ ...call, operation: 'bash', input: { command: 'cat a', timeout_s: 9 } })).toMatchObject({
    ok: true,
    content: 'x',
  })
})

test('a bundle starts itself; the sources start their own small entry', () => {
  expect(toolProcessEntry('/opt/baal/agent.mjs', { web: true })).toEqual(['/opt/baal/agent.mjs', 'tools'])
  expect(toolProcessEntry('/src/tools/create-tool-runner.ts', { web: false })).toEqual([
    '/src/tools/process/run-from-sources.ts',
  ])
})
