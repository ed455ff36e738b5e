/**
 * A Cloudflare on this machine: keeps the secrets it is given, and runs what was deployed, the real Worker in workerd, under
 * one address. It starts when it is first asked after a change.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTestHarness } from 'wrangler'
import { z } from 'zod'
import { ROOT } from '../../settings.ts'

export const FAKE_WRANGLER = fileURLToPath(new URL('wrangler.fake.mjs', import.meta.url))

const CONFIG = join(ROOT, 'wrangler.toml')

const Call = z.object({ args: z.array(z.string()), stdin: z.string() })
type Call = z.infer<typeof Call>

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly output?: string
}

export interface FakeCloudflare {
  /** Where the stand-in for wrangler reports. */
  readonly controlUrl: string
  readonly workerUrl: string
  /** Every command that needed the account, in order. */
  readonly calls: Call[]
  secrets: Record<string, string>
  loggedIn: boolean
  /** The next deployment fails as if Cloudflare had refused it. */
  refuseNextDeployment: boolean
  close(): Promise<void>
}

export async function startFakeCloudflare(): Promise<FakeCloudflare> {
  let deployed: Record<string, string> | undefined
  let running: ReturnType<typeof createTestHarness> | undefined
  const build = await buildWorker()
  const stop = async () => {
    await running?.close()
    running = undefined
  }
  const worker = createServer((request, response) => void forward(request, response))
  const control = createServer(async (request, response) => {
    const call = Call.parse(JSON.parse(await textOf(request)))
    cloud.calls.push(call)
    response.end(JSON.stringify(await answer(call)))
  })
  const cloud: FakeCloudflare = {
    controlUrl: await listen(control),
    workerUrl: await listen(worker),
    calls: [],
    secrets: {},
    loggedIn: true,
    refuseNextDeployment: false,
    async close() {
      await stop()
      await rm(build, { recursive: true, force: true })
      for (const server of [worker, control]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
  return cloud

  async function answer({ args, stdin }: Call): Promise<Answer> {
    const said = (stdout: string, code = 0): Answer => ({ code, stdout, stderr: '' })
    switch (args.slice(0, 2).join(' ')) {
      case 'whoami --json':
        return said('{}', cloud.loggedIn ? 0 : 1)
      case 'secret list':
        if (!deployed && Object.keys(cloud.secrets).length === 0)
          return { code: 1, stdout: '', stderr: 'Worker "baal" not found [code: 10007]' }
        return said(JSON.stringify(Object.keys(cloud.secrets).map((name) => ({ name, type: 'secret_text' }))))
      case 'secret bulk': {
        const given = z.record(z.string(), z.string().nullable()).parse(JSON.parse(stdin))
        const all = Object.entries({ ...cloud.secrets, ...given })
        cloud.secrets = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null))
        await stop()
        return said('')
      }
      default:
        return deployNow(args)
    }
  }

  async function deployNow(args: readonly string[]): Promise<Answer> {
    if (cloud.refuseNextDeployment) {
      cloud.refuseNextDeployment = false
      return { code: 1, stdout: '', stderr: 'A request to the Cloudflare API failed. [code: 10013]' }
    }
    const variables = args.flatMap((arg, index) => (args[index - 1] === '--var' ? [arg] : []))
    deployed = Object.fromEntries(variables.map((variable) => variable.split(/:(.*)/s).slice(0, 2)))
    await stop()
    const output = JSON.stringify({ type: 'deploy', targets: [cloud.workerUrl, 'schedule: * * * * *'] })
    return { code: 0, stdout: '', stderr: '', output }
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    if (!deployed) return void response.writeHead(404).end('There is nothing here yet')
    if (!running) {
      running = createTestHarness({
        workers: [{ configPath: CONFIG, prebuiltWorkerDir: build, vars: deployed, secrets: cloud.secrets }],
      })
      await running.listen()
    }
    const answered = await running.fetch(request.url ?? '/', {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && name !== 'host' && name !== 'connection'
          ? [[name, value] as [string, string]]
          : [],
      ),
      ...(body ? { body } : {}),
    })
    response.writeHead(answered.status).end(await answered.text())
  }
}

/** Once: every start of the same code takes it from there. */
async function buildWorker(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-cloudflare-'))
  const args = ['deploy', '--dry-run', '--containers-rollout=none', '--outdir', folder]
  await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
  return folder
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
