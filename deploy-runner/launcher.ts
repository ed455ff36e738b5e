/**
 * The first program of the agent's process: reads settings and secrets from their files and becomes the agent server. So no
 * value passes through a shell, a unit file or a command line, a prompt may hold anything, and what `/proc` shows of the
 * environment is what the process was started with: no secret.
 *
 * What Node compiled is kept in the server's private folder, where its tools cannot write: the next start takes half the time.
 */
export const LAUNCHER = `import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname } from 'node:path'
const folder = process.env.CREDENTIALS_DIRECTORY ?? process.env.BAAL_CONFIG
for (const name of ['agent.json', 'secrets.json']) Object.assign(process.env, JSON.parse(readFileSync(folder + '/' + name, 'utf8')))
enableCompileCache(dirname(process.env.DB_PATH) + '/compiled')
await import('./agent.mjs')
`
