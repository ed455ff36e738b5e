import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importJWK, SignJWT } from 'jose'
import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalMachine, powerOn } from '../local/machine/power-on.ts'
import { freePort } from '../local/sqld.ts'
import { createApp } from './app.ts'
import { loadArtifacts } from './artifacts.ts'
import { createAuthenticate } from './authenticate.ts'
import { type DeployRequest, RunnerLine } from './protocol.ts'

/** Small enough to read, real enough to be deployed: it answers, and shows the environment it was given. */
const AGENT = (version: string) => `
import { createServer } from 'node:http'
createServer((request, response) => {
  const body = request.url === '/env' ? process.env : { status: 'ok', version: '${version}' }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}).listen(Number(process.env.PORT), process.env.HOST)
`
const ODD_PROMPT = `line one\nline "two" 'three' \`four\` $HOME $(id) \\ %s #\n${'🦊'.repeat(500)}${'x'.repeat(6_000)}`

const signing = generateKeyPairSync('ed25519')
const sshKeys = ssh2.utils.generateKeyPairSync('ed25519')
const logged: string[] = []

let folder: string
let templates: string
let machine: LocalMachine
let port: number
let app: ReturnType<typeof createApp>

async function runner(agent = AGENT('1')): Promise<ReturnType<typeof createApp>> {
  const bundle = join(folder, 'agent.mjs')
  await writeFile(bundle, agent)
  return createApp({
    artifacts: await loadArtifacts({ bundle, templates, runtime: process.execPath }),
    authenticate: createAuthenticate(signing.publicKey.export({ format: 'jwk' })),
    sshPrivateKey: sshKeys.private,
    log: (event, fields) => logged.push(JSON.stringify({ event, ...fields })),
  })
}

interface TokenChanges {
  readonly audience?: string
  readonly issuer?: string
  readonly issuedAt?: number
  readonly lifetimeS?: number
  readonly jti?: string
  readonly signedBody?: string
  readonly key?: typeof signing.privateKey
}

async function token(body: string, changes: TokenChanges = {}): Promise<string> {
  const issuedAt = changes.issuedAt ?? Math.floor(Date.now() / 1000)
  const hash = createHash('sha256')
    .update(changes.signedBody ?? body)
    .digest('base64url')
  const key = await importJWK((changes.key ?? signing.privateKey).export({ format: 'jwk' }), 'EdDSA')
  return new SignJWT({ body: hash })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(changes.issuer ?? 'baal-worker')
    .setAudience(changes.audience ?? 'deploy-runner')
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (changes.lifetimeS ?? 60))
    .setJti(changes.jti ?? randomUUID())
    .sign(key)
}

async function call(path: string, body: object, options: { signal?: AbortSignal; to?: typeof app } = {}) {
  const text = JSON.stringify(body)
  const response = await (options.to ?? app).request(path, {
    method: 'POST',
    body: text,
    headers: { authorization: `Bearer ${await token(text)}` },
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const raw = await response.text()
  const lines = raw
    .trim()
    .split('\n')
    .map((line) => RunnerLine.parse(JSON.parse(line)))
  return { raw, lines, last: lines.at(-1) }
}

const target = () => ({ host: '127.0.0.1', port: machine.sshPort, user: 'root', host_key: machine.hostKey })

const deployment = (changes: Partial<DeployRequest['agent']> = {}): DeployRequest => ({
  target: target(),
  ingress: { kind: 'direct', host: '127.0.0.1', port },
  agent: {
    agent_id: 'a1',
    name: 'Rosa "the\nfox"',
    system_prompt: ODD_PROMPT,
    model: 'glm-4.7',
    owner_chat_id: '42',
    libertai_base_url: 'http://127.0.0.1:1/v1',
    callback_url: 'http://127.0.0.1:1/agents/a1/pending',
    ...changes,
  },
  secrets: { agent_secret: 'planted-agent-secret', libertai_api_key: 'bk-planted-inference-key' },
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-runner-'))
  templates = join(folder, 'workspace')
  await mkdir(join(templates, 'memory'), { recursive: true })
  await writeFile(join(templates, 'memory', 'MEMORY.md'), '# Memory\n')
  app = await runner()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  logged.length = 0
  const machineFolder = await mkdtemp(join(folder, 'machine-'))
  machine = await powerOn({ id: randomUUID().slice(0, 8), folder: machineFolder, authorizedKeys: [sshKeys.public] })
  port = await freePort()
})
afterEach(() => machine.powerOff())

const resultOf = (answer: Awaited<ReturnType<typeof call>>) => {
  if (!answer.last || !('result' in answer.last)) throw new Error(answer.raw)
  return answer.last.result
}
const errorOf = (answer: Awaited<ReturnType<typeof call>>) => {
  if (!answer.last || !('error' in answer.last)) throw new Error(answer.raw)
  return answer.last.error
}

describe('a call', () => {
  test.each<[string, TokenChanges]>([
    ['signed by another key', { key: generateKeyPairSync('ed25519').privateKey }],
    ['that has expired', { issuedAt: Math.floor(Date.now() / 1000) - 120 }],
    ['that would be good for longer than a minute', { lifetimeS: 3600 }],
    ['for another audience', { audience: 'someone-else' }],
    ['of another issuer', { issuer: 'someone-else' }],
    ['whose body was altered', { signedBody: '{}' }],
  ])('%s is refused and nothing is done', async (_, changes) => {
    const body = JSON.stringify({ target: target() })
    const headers = { authorization: `Bearer ${await token(body, changes)}` }
    const response = await app.request('/machines/wipe', { method: 'POST', body, headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: 'unauthorized' })
    expect(logged).toEqual([])
  })

  test('is good once', async () => {
    const body = JSON.stringify({ target: target() })
    const headers = { authorization: `Bearer ${await token(body)}` }
    const first = await app.request('/machines/probe', { method: 'POST', body, headers })
    await first.text()
    expect([first.status, (await app.request('/machines/probe', { method: 'POST', body, headers })).status]).toEqual([
      200, 401,
    ])
  })

  test('without a token is refused', async () => {
    expect((await app.request('/machines/probe', { method: 'POST', body: '{}' })).status).toBe(401)
  })

  test('with a body that is not as it should be names what is wrong, never a value', async () => {
    const answer = await call('/machines/deploy', { target: target(), secrets: { agent_secret: 'planted' } })
    expect(errorOf(answer)).toMatchObject({ code: 'bad_request' })
    expect(answer.raw).not.toContain('planted')
  })
})

describe('a deployment', () => {
  test('brings an agent to life, its prompt unchanged, with a line for each step', async () => {
    const answer = await call('/machines/deploy', deployment())
    expect(resultOf(answer)).toMatchObject({
      reachable: true,
      mode: 'plain',
      host_key: machine.hostKey,
      round_trips: 2,
    })
    const steps = answer.lines.flatMap((line) => ('step' in line && line.status === 'ok' ? [line.step] : []))
    expect(steps).toEqual(
      expect.arrayContaining(['connect', 'inspect', 'bundle', 'workspace', 'secrets', 'service', 'health']),
    )
    const environment = await (await fetch(`http://127.0.0.1:${port}/env`)).json()
    expect(environment).toMatchObject({
      SYSTEM_PROMPT: ODD_PROMPT,
      AGENT_NAME: 'Rosa "the\nfox"',
      AGENT_SECRET: 'planted-agent-secret',
    })
  })

  test('that is repeated changes nothing and takes one round trip', async () => {
    await call('/machines/deploy', deployment())
    expect(resultOf(await call('/machines/deploy', deployment()))).toMatchObject({
      changed: [],
      round_trips: 1,
      bytes_sent: 0,
    })
  })

  test('with another prompt changes only that and starts the agent anew', async () => {
    await call('/machines/deploy', deployment())
    const result = resultOf(await call('/machines/deploy', deployment({ system_prompt: 'Be brief.' })))
    expect(result.changed).toEqual(['service'])
    expect(await (await fetch(`http://127.0.0.1:${port}/env`)).json()).toMatchObject({ SYSTEM_PROMPT: 'Be brief.' })
  })

  test('with new code replaces it and keeps what the agent wrote into its files', async () => {
    await call('/machines/deploy', deployment())
    const memory = join(machine.home, 'baal/workspace/memory/MEMORY.md')
    await writeFile(memory, 'mine')
    const newer = await runner(AGENT('2'))
    expect(resultOf(await call('/machines/deploy', deployment(), { to: newer })).changed).toEqual(['bundle', 'service'])
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toMatchObject({ version: '2' })
    expect(readFileSync(memory, 'utf8')).toBe('mine')
  })

  test('comes back by itself after the machine was off', async () => {
    await call('/machines/deploy', deployment())
    await machine.powerOff()
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
    machine = await powerOn({
      id: randomUUID().slice(0, 8),
      folder: join(machine.home, '..'),
      authorizedKeys: [sshKeys.public],
    })
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${port}/health`).then(
            (r) => r.ok,
            () => false,
          ),
        { timeout: 15_000 },
      )
      .toBe(true)
  })

  test('of an agent that does not start tells its last words, and the next try converges', async () => {
    const broken = await runner('console.error("no such module: moon"); process.exit(1)')
    const quick = { ...deployment(), target: target() }
    const answer = await call('/machines/deploy', quick, { to: broken })
    expect(errorOf(answer)).toMatchObject({ code: 'unhealthy', step: 'health' })
    expect(errorOf(answer).message).toContain('no such module: moon')
    expect(resultOf(await call('/machines/deploy', deployment())).changed).toContain('bundle')
  }, 90_000)

  test('shows no secret in its lines, its log, or a command line, and stores them for the owner alone', async () => {
    const answer = await call('/machines/deploy', deployment())
    await call('/machines/probe', { target: target() })
    expect(answer.raw + logged.join()).not.toMatch(/planted/)
    const commandLines = (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        } catch {
          return ''
        }
      })
    expect(commandLines.join('\n')).not.toContain('planted')
    const { stat } = await import('node:fs/promises')
    expect((await stat(join(machine.home, 'baal/config/secrets.json'))).mode & 0o077).toBe(0)
    expect(existsSync(join(machine.home, '.baal-staging'))).toBe(false)
  })
})

describe('a machine', () => {
  test('that shows another host key is refused, and nothing is sent to it', async () => {
    const other = ssh2.utils.generateKeyPairSync('ed25519').public.split(' ').slice(0, 2).join(' ')
    const answer = await call('/machines/deploy', { ...deployment(), target: { ...target(), host_key: other } })
    expect(errorOf(answer)).toMatchObject({ code: 'host_key_mismatch', step: 'connect' })
    expect(await readdir(machine.home)).toEqual([])
  })

  test('that is not pinned yet tells its key', async () => {
    const { host_key: _, ...unpinned } = target()
    expect(resultOf(await call('/machines/probe', { target: unpinned })).host_key).toBe(machine.hostKey)
  })

  test('that does not let us in, and one that is not there, are told apart', async () => {
    const stranger = createApp({
      artifacts: await loadArtifacts({ bundle: join(folder, 'agent.mjs'), templates, runtime: process.execPath }),
      authenticate: createAuthenticate(signing.publicKey.export({ format: 'jwk' })),
      sshPrivateKey: ssh2.utils.generateKeyPairSync('ed25519').private,
      log: () => undefined,
    })
    expect(errorOf(await call('/machines/probe', { target: target() }, { to: stranger })).code).toBe('auth_failed')
    const nobody = { ...target(), port: await freePort() }
    expect(errorOf(await call('/machines/probe', { target: nobody })).code).toBe('unreachable')
  })

  test('that is still booting is waited for', async () => {
    const later = await freePort()
    const proxy = createServer((socket) => {
      const upstream = tcpConnect(machine.sshPort, '127.0.0.1')
      socket.pipe(upstream).pipe(socket)
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
    })
    const booting = call('/machines/probe', { target: { ...target(), port: later }, wait_ms: 30_000 })
    await new Promise<void>((resolve) => proxy.listen(later, '127.0.0.1', resolve))
    expect(resultOf(await booting).reachable).toBe(true)
    proxy.close()
  })

  test('is worked on by one call at a time, while others go on beside it', async () => {
    const [a, b, c] = await Promise.all([
      call('/machines/deploy', deployment()),
      call('/machines/probe', { target: target() }),
      call('/machines/probe', { target: { ...target(), port: await freePort() } }),
    ])
    expect(resultOf(a).reachable).toBe(true)
    expect(errorOf(b).code).toBe('busy')
    expect(errorOf(c).code).toBe('unreachable')
  })

  test('whose connection is cut anywhere ends in an error, and the next try converges', async () => {
    // Cuts after so many bytes from the caller: in the handshake, the inspection, and inside the parcel.
    for (const cutAfter of [300, 2_000, 4_000, 5_500]) {
      const cutter = await cuttingProxy(machine.sshPort, cutAfter)
      const answer = await call('/machines/deploy', { ...deployment(), target: { ...target(), port: cutter.port } })
      expect(['disconnected', 'unreachable']).toContain(errorOf(answer).code)
      cutter.close()
    }
    expect(resultOf(await call('/machines/deploy', deployment())).reachable).toBe(true)
    expect((await fetch(`http://127.0.0.1:${port}/health`)).ok).toBe(true)
  })

  test('that is wiped keeps nothing of the agent, and wiping again does no harm', async () => {
    await call('/machines/deploy', deployment())
    expect(resultOf(await call('/machines/wipe', { target: target() })).changed).toEqual(['wipe'])
    expect(existsSync(join(machine.home, 'baal'))).toBe(false)
    expect(await readFile(join(machine.home, 'rc.local'), 'utf8')).not.toContain('supervise')
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
    expect(resultOf(await call('/machines/wipe', { target: target() })).reachable).toBe(true)
  })

  test('that was prepared for the pool holds no secret and needs only the agent itself later', async () => {
    expect(resultOf(await call('/machines/prepare', { target: target() })).changed).toEqual(['bundle', 'workspace'])
    expect(existsSync(join(machine.home, 'baal/config/secrets.json'))).toBe(false)
    expect(resultOf(await call('/machines/deploy', deployment())).changed).toEqual(['secrets', 'service'])
  })
})

test('a caller that leaves ends the work on its machine', async () => {
  const leaving = new AbortController()
  const text = JSON.stringify({ target: { ...target(), port: await freePort() }, wait_ms: 600_000 })
  const response = await app.request('/machines/probe', {
    method: 'POST',
    body: text,
    headers: { authorization: `Bearer ${await token(text)}` },
  })
  const reader = response.body!.getReader()
  await reader.read()
  await reader.cancel()
  leaving.abort()
  await expect.poll(() => logged.some((line) => line.includes('call_failed')), { timeout: 10_000 }).toBe(true)
})

async function cuttingProxy(to: number, cutAfter: number): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const upstream = tcpConnect(to, '127.0.0.1')
    sockets.add(socket).add(upstream)
    let passed = 0
    socket.on('data', (chunk) => {
      passed += chunk.length
      if (passed > cutAfter) {
        socket.destroy()
        upstream.destroy()
      } else upstream.write(chunk)
    })
    upstream.pipe(socket)
    socket.on('error', () => upstream.destroy())
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
