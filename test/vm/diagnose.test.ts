/** The real runner against a real Debian 12 machine: prepared, deployed to, talked to, cut, attacked and wiped. */
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeployRequest } from '../../deploy-runner/protocol.ts'
import { ROOT } from '../../local/settings.ts'
import { ensureDebianImage, missingPrerequisites } from './debian-image.ts'
import { type Answer, type RunnerProcess, startRunner } from './runner-process.ts'
import { type ScriptedModel, startScriptedModel } from './scripted-model.ts'
import { bootVirtualMachine, type VirtualMachine } from './virtual-machine.ts'

const DOMAIN = 'agent.test'
const SECRET = 'planted-secret-of-the-agent'
const KEY = 'bk-planted-inference-key'
const ODD_PROMPT = `line one\nline "two" 'three' \`four\` $HOME $(id) \\ %s #\n${'🦊'.repeat(500)}${'x'.repeat(6_000)}`
const ADVERSARY = readFileSync(new URL('adversary.sh', import.meta.url))
/** A fixed piece of work, to compare steps with whatever the emulation makes of the clock. */
const REFERENCE_COMMAND = 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; head -c 20000000 /dev/zero | sha256sum'

let vm: VirtualMachine
let runner: RunnerProcess
let model: ScriptedModel
let hostKey: string
const measured: Record<string, unknown> = {}

beforeAll(async () => {
  const missing = await missingPrerequisites()
  if (missing) throw new Error(missing)
  const image = await ensureDebianImage()
  model = await startScriptedModel()
  runner = await startRunner(image.sshPrivateKey)
  vm = await bootVirtualMachine(image)
})
afterAll(async () => {
  await vm?.stop()
  await runner?.stop()
  model?.close()
  addRatios()
  await mkdir(join(ROOT, '.data'), { recursive: true })
  await writeFile(join(ROOT, '.data', 'vm-bench.json'), `${JSON.stringify(measured, null, 2)}\n`)
  console.log(JSON.stringify(measured, null, 2))
})

const target = (port = vm.sshPort) => ({ host: '127.0.0.1', port, user: 'root', host_key: hostKey })
const ingress = { kind: 'caddy', domain: DOMAIN } as const
const deployment = (changes: Partial<DeployRequest['agent']> = {}, port?: number): DeployRequest => ({
  target: target(port),
  ingress,
  agent: {
    agent_id: 'a1',
    name: 'Rosa "the\nfox"',
    system_prompt: ODD_PROMPT,
    model: 'glm-4.7',
    owner_chat_id: '42',
    libertai_base_url: `http://10.0.2.2:${model.port}/v1`,
    callback_url: 'http://10.0.2.2:9/agents/a1/pending',
    ...changes,
  },
  secrets: { agent_secret: SECRET, libertai_api_key: KEY },
})

describe('a bare Debian machine', () => {
  test('tells its key on first contact', async () => {
    const answer = await runner.call('/machines/probe', {
      target: { host: '127.0.0.1', port: vm.sshPort, user: 'root' },
      wait_ms: 60_000,
    })
    expect(answer.error).toBeUndefined()
    expect(answer.result).toMatchObject({ mode: 'systemd', os: expect.stringContaining('bookworm') })
    hostKey = answer.result!.host_key
    measured.reference_command_ms = await timeOf(() => vm.sh(REFERENCE_COMMAND))
  })

  test.each(['packages', 'users', 'runtime', 'bundle', 'workspace', 'ingress'])(
    'whose connection is cut at %s converges afterwards',
    async (step) => {
      const answer = await cutAt(step, (port) => ({
        path: '/machines/prepare',
        body: { target: target(port), ingress },
      }))
      expect(answer.error?.code).toBe('disconnected')
    },
  )

  test('is prepared without a secret, and again without a change', async () => {
    const first = await runner.call('/machines/prepare', { target: target(), ingress })
    expect(first.error).toBeUndefined()
    const again = await runner.call('/machines/prepare', { target: target(), ingress })
    expect(again.result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
    expect(await vm.sh('ls /etc/baal')).not.toContain('secrets.json')
    expect(await vm.sh('/opt/baal/bin/node --version')).toBe(process.version)
  })
})

describe('an agent on it', () => {
  test('is deployed to the prepared machine', async () => {
    const ms = await timeOf(async () => {
      const answer = await runner.call('/machines/deploy', deployment())
      expect(answer.error).toBeUndefined()
      expect(answer.result?.changed).toEqual(['secrets', 'service'])
      measured.deploy_prepared = summary(answer)
    })
    measured.deploy_prepared_ms = ms
  })

  test('answers through Caddy with its own prompt, unchanged', async () => {
    await certified()
    expect(await agentRequest('GET', '/health')).toContain(runner.agentVersion)
    expect(await chat('hi there', 't1')).toContain('hello from the model')
    expect(model.systemPrompt()).toContain(ODD_PROMPT)
    expect([...model.keys]).toEqual([`Bearer ${KEY}`])
  })

  test('is left alone by a second deployment, which takes one round trip', async () => {
    const ms = await timeOf(async () => {
      const answer = await runner.call('/machines/deploy', deployment())
      expect(answer.result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
    })
    measured.deploy_unchanged_ms = ms
  })

  test('cannot find a secret with everything its shell can do', async () => {
    await vm.sh('printf planted-control > /srv/baal/workspace/control.txt; chmod 644 /srv/baal/workspace/control.txt')
    const script = ADVERSARY.toString('base64')
    const command = `echo ${script} | base64 -d > /tmp/look.sh; timeout 600 bash /tmp/look.sh > look.txt 2>&1 & sleep 1; echo started`
    await chat(`bash: ${command}`, 't2')
    await expect
      .poll(() => vm.sh('tail -n 1 /srv/baal/workspace/look.txt'), { timeout: 900_000, interval: 3_000 })
      .toBe('finished')
    const output = await vm.sh('cat /srv/baal/workspace/look.txt')
    // The control shows that the search would have found something.
    expect(output).toContain('found in files of /srv: planted-control')
    const findings = output.split('\n').filter((line) => /^(found|may|set-user|unusual|the export|sees)/.test(line))
    expect(findings).toEqual(['found in files of /srv: planted-control'])
    expect(output).toMatch(/CapEff:\s+0000000000000000/)
    expect(output).toMatch(/NoNewPrivs:\s+1/)
    expect(output).toContain('(baal-tools)')
  })

  test.each(['secrets', 'service', 'health', 'ingress'])('is made whole again after a cut at %s', async (step) => {
    const changes = { system_prompt: `changed before ${step}` }
    const secrets = { agent_secret: `${SECRET}-${step}`, libertai_api_key: KEY }
    const before = { ...deployment(changes), ingress: { kind: 'caddy', domain: `${step}.test` }, secrets }
    const answer = await cutAt(step, (port) => ({
      path: '/machines/deploy',
      body: { ...before, target: target(port) },
    }))
    expect(answer.error?.code).toBe('disconnected')
    expect((await runner.call('/machines/deploy', before)).error).toBeUndefined()
    const again = await runner.call('/machines/deploy', before)
    expect(again.result).toMatchObject({ changed: [], round_trips: 1 })
    await certified(`${step}.test`)
    expect(await chat('hi', `cut-${step}`, `${SECRET}-${step}`, `${step}.test`)).toContain('hello')
    expect(model.systemPrompt()).toContain(`changed before ${step}`)
  })

  test('is refused where another host key is expected', async () => {
    const other = {
      ...target(),
      host_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    }
    const answer = await runner.call('/machines/deploy', { ...deployment(), target: other })
    expect(answer.error).toMatchObject({ code: 'host_key_mismatch' })
  })

  test('that does not come up is told with its last lines, and the next try converges', async () => {
    const squatter = 'require("net").createServer((socket) => socket.destroy()).listen(8080, "127.0.0.1")'
    await vm.sh(`systemctl stop baal-agent; systemd-run -q --unit=squatter /opt/baal/bin/node -e '${squatter}'`)
    const answer = await runner.call('/machines/deploy', deployment())
    expect(answer.error).toMatchObject({ code: 'unhealthy', step: 'health', message: expect.stringContaining('8080') })
    await vm.sh('systemctl stop squatter')
    expect((await runner.call('/machines/deploy', deployment())).error).toBeUndefined()
  })

  test('keeps its secrets out of commands, logs, progress and the unit', async () => {
    expect(runner.output()).not.toContain('planted')
    expect(await vm.sh('journalctl --no-pager | grep -c plant[e]d || true')).toBe('0')
    expect(await vm.sh('systemctl cat baal-agent; systemctl show baal-agent')).not.toContain('planted')
    expect(await vm.sh('stat -c %a%U /etc/baal/secrets.json')).toBe('400root')
  })
})

describe('at the end', () => {
  test('the machine is wiped of everything that was the agent', async () => {
    const answer = await runner.call('/machines/wipe', { target: target() })
    expect(answer.error).toBeUndefined()
    const left = await vm.sh(
      'grep -rlas "plant[e]d" /etc /opt /srv /var /root /run /tmp 2>/dev/null; ls -d /opt/baal /etc/baal /srv/baal /var/lib/baal 2>/dev/null; id baal 2>/dev/null; id baal-tools 2>/dev/null; true',
    )
    expect(left).toBe('')
    expect((await runner.call('/machines/wipe', { target: target() })).error).toBeUndefined()
  })

  test('and could be used anew, from nothing but its packages', async () => {
    measured.deploy_bare_ms = await timeOf(async () => {
      const answer = await runner.call('/machines/deploy', deployment())
      if (answer.error)
        console.log(runner.output(), await vm.sh('journalctl -u ssh --no-pager | tail -20; dmesg | tail -8'))
      expect(answer.error).toBeUndefined()
      measured.deploy_bare = summary(answer)
    })
    await certified()
    expect(await chat('hi', 'again')).toContain('hello')
  })
})

function summary({ result, lines }: Answer) {
  const steps = Object.fromEntries(lines.filter(({ status }) => status === 'ok').map(({ step, ms }) => [step, ms]))
  return { round_trips: result?.round_trips, bytes_sent: result?.bytes_sent, steps }
}

/** Each time as a multiple of the reference command in the same guest: that is what says something about other machines. */
function addRatios(): void {
  const reference = Number(measured.reference_command_ms)
  for (const name of ['deploy_prepared', 'deploy_unchanged', 'deploy_bare']) {
    const ms = Number(measured[`${name}_ms`])
    if (ms && reference) measured[`${name}_ratio`] = Math.round((ms / reference) * 100) / 100
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return Math.round(performance.now() - startedAt)
}

/** A call through a proxy that cuts the connection as soon as the step begins. */
async function cutAt(step: string, call: (port: number) => { path: string; body: object }): Promise<Answer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const upstream = tcpConnect(vm.sshPort, '127.0.0.1')
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.on('error', () => end.destroy())
    }
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const { path, body } = call(typeof address === 'object' && address ? address.port : 0)
  try {
    return await runner.call(path, body, (line) => {
      if (line.step === step && line.status === 'start') for (const socket of sockets) socket.destroy()
    })
  } finally {
    server.close()
  }
}

/** A Caddy that has just learned its domain refuses connections until it has made the certificate. */
async function certified(domain = DOMAIN): Promise<void> {
  const isUp = () =>
    agentRequest('GET', '/health', undefined, SECRET, domain).then(
      (text) => text.includes('"ok"'),
      () => false,
    )
  await expect.poll(isUp, { timeout: 60_000, interval: 500 }).toBe(true)
}

function chat(message: string, turnId: string, secret = SECRET, domain = DOMAIN): Promise<string> {
  return agentRequest('POST', '/chat', { message, chat_id: 'c1', turn_id: turnId }, secret, domain)
}

/** Over TLS to Caddy on the machine, trusting the authority that Caddy made for itself there. */
async function agentRequest(
  method: string,
  path: string,
  body?: object,
  secret = SECRET,
  domain = DOMAIN,
): Promise<string> {
  const ca = await vm.sh('cat /var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt')
  const agent = new Agent({ ca, servername: domain })
  return new Promise((resolve, reject) => {
    const call = request(
      {
        agent,
        method,
        path,
        host: '127.0.0.1',
        port: vm.httpsPort,
        headers: { host: domain, authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
        response.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end(body ? JSON.stringify(body) : undefined)
  })
}
