/** The deploy-runner's entry: configuration, artifacts, server, and an orderly end. */
import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { loadArtifacts } from './artifacts.ts'
import { createAuthenticate } from './authenticate.ts'
import { ConfigError, parseConfig } from './config.ts'

try {
  const config = parseConfig(process.env)
  // Nothing that is started from here may inherit the keys.
  delete process.env.SSH_PRIVATE_KEY
  delete process.env.SSH_PRIVATE_KEY_FORMER
  const artifacts = await loadArtifacts({
    bundle: config.AGENT_BUNDLE,
    templates: config.WORKSPACE_TEMPLATES,
    runtime: config.NODE_RUNTIME,
  })
  const app = createApp({
    artifacts,
    authenticate: await createAuthenticate(config.WORKER_PUBLIC_KEY),
    sshPrivateKey: config.SSH_PRIVATE_KEY,
    formerSshPrivateKey: config.SSH_PRIVATE_KEY_FORMER,
    log: (event, fields) => console.log(JSON.stringify({ event, ...fields })),
  })
  const server = serve({ fetch: app.fetch, hostname: config.HOST, port: config.PORT }, ({ port }) =>
    console.log(JSON.stringify({ event: 'listening', port, agent_version: artifacts.agentVersion })),
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close(() => process.exit(0))
      // A call in progress is cut like any other lost connection: the next one converges.
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
  }
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
}
