/**
 * The servers that the agent bench compares: ours, as the deploy-runner ships it; the least that could do the same (a relay
 * that asks the model and passes its stream on); and any other that speaks `GET /health` and `POST /chat`.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildAgentBundle } from '../../agent-vm/bundle.ts'
import { LAUNCHER } from '../../deploy-runner/launcher.ts'
import { type StartedProcess, startProcess } from '../../local/child-process.ts'

export const SECRET = 'bench'
const START_LIMIT_MS = 60_000
const ASK_AGAIN_MS = 2

export interface ServerPlan {
  readonly name: string
  /** @param folder empty, for this start alone @param port free */
  plan(folder: string, port: number): { command: string; args: string[]; env: Record<string, string> }
}

export interface RunningServer {
  readonly url: string
  readonly pid: number
  /** From the start of the process to the first healthy answer. */
  readonly startMs: number
  stop(): Promise<void>
}

/** A copy of Node of its own, as on a machine: what other programs here have in memory must not make ours look smaller. */
export async function planAgent(folder: string, modelUrl: string): Promise<ServerPlan & { bundleBytes: number }> {
  const app = join(folder, 'app')
  mkdirSync(app)
  const node = join(app, 'node')
  copyFileSync(process.execPath, node)
  chmodSync(node, 0o755)
  const { bytes } = await buildAgentBundle(join(app, 'agent.mjs'))
  writeFileSync(join(app, 'launch.mjs'), LAUNCHER)
  return {
    name: 'agent server',
    bundleBytes: bytes,
    plan: (place, port) => {
      const environment = environmentOf(place, port, modelUrl)
      const workspace = join(place, 'workspace')
      mkdirSync(workspace, { recursive: true })
      const toolUser = findToolUser()
      if (toolUser) chownSync(workspace, toolUser.uid, toolUser.uid)
      const settings = { ...environment, ...(toolUser && { TOOL_USER: toolUser.name }) }
      writeFileSync(join(place, 'agent.json'), JSON.stringify(settings))
      writeFileSync(join(place, 'secrets.json'), JSON.stringify({ AGENT_SECRET: SECRET, LIBERTAI_API_KEY: 'key' }))
      return {
        command: node,
        args: [join(app, 'launch.mjs')],
        env: { BAAL_CONFIG: place, NODE_ENV: 'production', MALLOC_ARENA_MAX: '1' },
      }
    },
  }
}

/** Asks the model with the message alone and passes its stream on: what HTTP and one Node process cost by themselves. */
export function planRelay(modelUrl: string): ServerPlan {
  const program = `
    const http = require('node:http')
    const agent = new http.Agent({ keepAlive: true })
    http.createServer((request, response) => {
      if (request.url === '/health') return response.end('{}')
      let text = ''
      request.on('data', (chunk) => { text += chunk }).on('end', () => {
        const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content: JSON.parse(text).message }] })
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        http.request('${modelUrl}/chat/completions', { method: 'POST', agent }, (answer) => answer.pipe(response)).end(body)
      })
    }).listen(Number(process.env.PORT), '127.0.0.1')`
  return {
    name: 'bare relay',
    plan: (_folder, port) => ({ command: process.execPath, args: ['-e', program], env: { PORT: String(port) } }),
  }
}

/** @param given `name=command`, run by a shell with our environment variables set */
export function planOther(given: string, modelUrl: string): ServerPlan {
  const [name = '', ...command] = given.split('=')
  return {
    name,
    plan: (folder, port) => {
      mkdirSync(join(folder, 'workspace'), { recursive: true })
      const env = { ...environmentOf(folder, port, modelUrl), AGENT_SECRET: SECRET, LIBERTAI_API_KEY: 'key' }
      return { command: 'sh', args: ['-c', `exec ${command.join('=')}`], env: { ...env, PATH: process.env.PATH ?? '' } }
    },
  }
}

function environmentOf(folder: string, port: number, modelUrl: string): Record<string, string> {
  return {
    AGENT_NAME: 'Bench',
    SYSTEM_PROMPT: 'Be helpful.',
    MODEL: 'qwen3-coder-next',
    LIBERTAI_BASE_URL: modelUrl,
    HOST: '127.0.0.1',
    PORT: String(port),
    DB_PATH: join(folder, 'data', 'agent.db'),
    WORKSPACE_PATH: join(folder, 'workspace'),
    OWNER_CHAT_ID: 'owner',
  }
}

/** As on a machine, the tools are somebody else, where we may have that. */
function findToolUser(): { name: string; uid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const uid = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout)
  return uid > 0 ? { name: 'nobody', uid } : undefined
}

export async function startServer(server: ServerPlan, folder: string, port: number): Promise<RunningServer> {
  const { command, args, env } = server.plan(folder, port)
  const startedAt = performance.now()
  const child = startProcess({ name: server.name, command, args, cwd: folder, env })
  const url = `http://127.0.0.1:${port}`
  await untilHealthy(url, child, startedAt)
  return { url, pid: child.pid, startMs: performance.now() - startedAt, stop: () => child.stop() }
}

async function untilHealthy(url: string, child: StartedProcess, startedAt: number): Promise<void> {
  let hasEnded = false
  void child.ended.then(() => {
    hasEnded = true
  })
  for (;;) {
    const isUp = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return
    if (hasEnded || performance.now() - startedAt > START_LIMIT_MS) throw new Error(child.lastOutput())
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}
