/** The agent server as a process of its own, with fake tools: for tests that kill it. */
import { flushCompileCache } from 'node:module'
import { startAgent } from './agent.ts'
import { parseConfig, readEnvironment } from './config.ts'
import { log } from './log.ts'
import { fakeParts } from './testing/fake-parts.ts'

const config = parseConfig(readEnvironment())
const agent = await startAgent({ config, version: 'fake', log, parts: fakeParts(config) })
process.stdout.write(`${JSON.stringify({ url: agent.url })}\n`)
// Now, because it will not live to its end.
flushCompileCache()
