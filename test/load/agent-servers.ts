/** Agent servers as machines run them: the one bundled file, a process each, with real tools. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildAgentBundle } from '../../agent-vm/bundle.ts'
import { type StartedProcess, startProcess } from '../../local/child-process.ts'
import { freePort } from '../../local/sqld.ts'

export const PROMPT = 'Be as helpful as the planted prompt says.'

const READY_LIMIT_MS = 60_000
/** Small, so that a chat of some minutes is compacted a few times. */
const MAX_CONTEXT_TOKENS = '12000'

export interface AgentServer {
  readonly url: string
  readonly pid: number
  readonly inspectorPort: number
  stop(): Promise<void>
}

export interface AgentServerOptions {
  readonly count: number
  readonly dataDir: string
  readonly gatewayUrl: string
  readonly secret: string
  keyOf(index: number): string
  readonly onLine: (line: string) => void
}

export async function startAgentServers(options: AgentServerOptions): Promise<AgentServer[]> {
  const bundle = join(options.dataDir, 'agent.mjs')
  await buildAgentBundle(bundle)
  return Promise.all(Array.from({ length: options.count }, (_, index) => startAgentServer(index, bundle, options)))
}

async function startAgentServer(
  index: number,
  bundle: string,
  { dataDir, gatewayUrl, secret, keyOf, onLine }: AgentServerOptions,
): Promise<AgentServer> {
  const folder = join(dataDir, `agent-${index}`)
  await mkdir(join(folder, 'workspace'), { recursive: true })
  const port = await freePort()
  const inspectorPort = await freePort()
  const url = `http://127.0.0.1:${port}`
  const started = startProcess({
    name: `agent ${index}`,
    command: process.execPath,
    args: [`--inspect=127.0.0.1:${inspectorPort}`, '--disable-warning=ExperimentalWarning', bundle],
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_ENV: 'production',
      AGENT_NAME: 'Rosa',
      SYSTEM_PROMPT: PROMPT,
      LIBERTAI_API_KEY: keyOf(index),
      LIBERTAI_BASE_URL: gatewayUrl,
      AGENT_SECRET: secret,
      PORT: String(port),
      DB_PATH: join(folder, 'agent.db'),
      WORKSPACE_PATH: join(folder, 'workspace'),
      MAX_CONTEXT_TOKENS,
    },
    onLine,
  })
  await untilHealthy(url, started)
  return { url, pid: started.pid, inspectorPort, stop: () => started.stop() }
}

async function untilHealthy(url: string, started: StartedProcess): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS
  while (Date.now() < deadline) {
    const isUp = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`an agent server did not become healthy\n${started.lastOutput()}`)
}
