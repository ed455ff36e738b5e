/** Entry of the agent server. */
import './small-heap.ts'
import { fileURLToPath } from 'node:url'
import { startAgent } from './agent.ts'
import { ConfigError, parseConfig, readEnvironment } from './config.ts'
import { describeError, log } from './log.ts'
import { realParts } from './real-parts.ts'
import { readVersion } from './version.ts'

async function main(): Promise<void> {
  const config = parseConfig(readEnvironment())
  const version = readVersion(fileURLToPath(import.meta.url))
  const agent = await startAgent({ config, version, log, parts: realParts(config, log) })
  log('info', 'agent_ready', { url: agent.url, version, model: config.MODEL })
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      agent.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log('error', 'stop_failed', { reason: describeError(error) })
          process.exit(1)
        },
      )
    })
  }
}

// A stray rejection is a defect, but not a reason to end other people's turns.
process.on('unhandledRejection', (error) => log('error', 'unhandled_rejection', { reason: describeError(error) }))

main().catch((error: unknown) => {
  const known =
    error instanceof ConfigError || (error instanceof Error && 'code' in error && error.code === 'database_too_new')
  process.stderr.write(`${known && error instanceof Error ? `agent: ${error.message}` : describeError(error)}\n`)
  process.exit(1)
})
