/** The real runner against a real Debian 12 machine: prepared, deployed to, talked to, broken, cut, attacked, wiped, and pooled. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderCaddyfile } from '../../deploy-runner/agent-files.ts'
import type { DeployRequest } from '../../deploy-runner/protocol.ts'
import { openProxy } from '../../deploy-runner/testing/proxy.ts'
import { AGENT_SECRET } from '../provision/world.ts'
import { type AgentAddress, agentClient } from './agent-client.ts'
import { breakAfterMigration } from './broken-bundle.ts'
import { cachedRuntime } from './cache.ts'
import { ensureDebianImage, missingPrerequisites } from './debian-image.ts'
import { Measurements } from './measurements.ts'
import { type OperatorHost, registerOperatorHost } from './operator-host.ts'
import { type Answer, type RunnerOptions, type RunnerProcess, startRunner } from './runner-process.ts'
import { type ScriptedModel, startScriptedModel } from './scripted-model.ts'
import { bootVirtualMachine, type VirtualMachine } from './virtual-machine.ts'

const ADDRESS: AgentAddress = { domain: 'agent.test', secret: 'planted-secret-of-the-agent' }
/** As a person reaches an agent on the operator's host. */
const HOST: AgentAddress = { domain: 'own-host.test', secret: AGENT_SECRET }
const KEY = 'bk-planted-inference-key'
const ODD_PROMPT = `line one\nline "two" 'three' \`four\` $HOME $(id) \\ %s #\n${'🦊'.repeat(500)}${'x'.repeat(6_000)}`
const ADVERSARY = readFileSync(new URL('adversary.sh', import.meta.url), 'base64')
const DIRECT = { kind: 'direct', host: '127.0.0.1', port: 8080 } as const
const OTHER_HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

let vm: VirtualMachine
let runner: RunnerProcess
let runnerOptions: RunnerOptions
let model: ScriptedModel
let hostKey: string
let host: OperatorHost
const measurements = new Measurements()

beforeAll(async () => {
  const missing = await missingPrerequisites()
  if (missing) throw new Error(missing)
  const [image, packedRuntime] = await Promise.all([ensureDebianImage(), cachedRuntime()])
  model = await startScriptedModel()
  runnerOptions = { sshPrivateKey: image.sshPrivateKey, packedRuntime }
  runner = await startRunner(runnerOptions)
  vm = await bootVirtualMachine(image)
})
afterAll(async () => {
  await host?.close()
  await vm?.stop()
  await runner?.stop()
  model?.close()
  await measurements.save()
})

const target = (port = vm.sshPort) => ({ host: '127.0.0.1', port, user: 'root', host_key: hostKey })
const preparation = () => ({ target: target(), ingress: { kind: 'caddy', domain: ADDRESS.domain } as const })
const deployment = (changes: Partial<DeployRequest['agent']> = {}, { domain, secret } = ADDRESS): DeployRequest => ({
  target: target(),
  ingress: { kind: 'caddy', domain },
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
  secrets: { agent_secret: secret, libertai_api_key: KEY },
})

const prepare = () => untilFree(() => runner.call('/machines/prepare', preparation()))
const wipe = () => untilFree(() => runner.call('/machines/wipe', { target: target() }))
const deploy = (request = deployment()) => untilFree(() => runner.call('/machines/deploy', request))

describe('a bare Debian machine', () => {
  test('tells its key on first contact', async () => {
    const { host_key: _, ...unknown } = target()
    const { result } = await runner.call('/machines/probe', { target: unknown, wait_ms: 60_000 })
    expect(result).toMatchObject({ mode: 'systemd', os: expect.stringContaining('bookworm') })
    hostKey = result?.host_key ?? ''
  })

  test('whose disk is full is told with the step and the last line', async () => {
    // Enough for the beginning of what is sent, not for its end.
    await vm.sh('cp -a /root/.ssh /run/ssh; mount -t tmpfs -o size=8m,mode=700 tmpfs /root; cp -a /run/ssh /root/.ssh')
    const { error } = await prepare()
    await vm.sh('umount -l /root; rm -r /run/ssh')
    expect(error).toMatchObject({ code: 'step_failed', message: expect.stringMatching(/unpacked; free: 0 KB/) })
  })

  // The steps that only such a machine has; cuts at the others are tested where a machine is a folder (machines.test.ts).
  // Without Caddy at first: what comes after it has the runtime behind it, by far the most that goes over.
  test.each(['runtime', 'users'])('is prepared after the connection was cut at %s', async (step) => {
    if (step === 'users') await vm.sh('userdel baal-tools; userdel baal')
    const request = { target: target(), ingress: DIRECT }
    const prepareWithout = () => runner.call('/machines/prepare', request)
    expect((await cutAt(step, '/machines/prepare', request)).error?.code).toBe('disconnected')
    expect((await untilFree(prepareWithout)).error).toBeUndefined()
    expect((await prepareWithout()).result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
  })

  test('whose package archive is broken is told with the last lines of apt', async () => {
    await vm.sh('cp -a /etc/apt /root/apt; cp -a /var/lib/apt/lists /root/lists; rm -rf /var/lib/apt/lists/*')
    await vm.sh('echo "deb nonsense" > /etc/apt/sources.list')
    const { error } = await prepare()
    expect(error).toMatchObject({ code: 'step_failed', step: 'packages', message: expect.stringMatching(/^E: /m) })
    await vm.sh('rm -rf /etc/apt; mv /root/apt /etc/apt; cp -a /root/lists/* /var/lib/apt/lists/; rm -rf /root/lists')
  })

  test('where others install packages is waited for, also after the connection was cut meanwhile', async () => {
    await vm.sh('cat > /run/hold.pl', HOLD_DPKG_LOCK)
    await vm.sh(
      'systemd-run -q --unit=others perl /run/hold.pl; timeout 60 sh -c "until [ -e /run/held ]; do sleep 1; done"',
    )
    expect((await cutAt('packages', '/machines/prepare', preparation())).error?.code).toBe('disconnected')
    const again = prepare()
    await vm.sh('timeout 60 sh -c "until pgrep apt-get > /dev/null; do sleep 1; done"; sleep 3; ! command -v caddy')
    await vm.sh('systemctl stop others')
    expect((await again).error).toBeUndefined()
    await vm.sh('command -v caddy && ! dpkg --audit | grep .')
    expect((await prepare()).result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
  })

  test('that is prepared has everything but the agent’s own, and no secret', async () => {
    expect(await vm.sh('ls -A /etc/baal')).toBe('applied-ingress')
    expect(await vm.sh('/opt/baal/bin/node --version')).toBe(process.version)
    expect(await vm.sh('systemctl is-active caddy; ls -A /root/.baal-staging 2>/dev/null || true')).toBe('active')
  })

  test('gets the certificate of a public name from one of two authorities', async () => {
    await vm.sh('cat > /tmp/Caddyfile', renderCaddyfile('words.2n6.me'))
    const adapted = await vm.sh('caddy adapt --config /tmp/Caddyfile')
    const issuers = JSON.parse(adapted).apps.tls.automation.policies[0].issuers as { module: string }[]
    expect(issuers.map(({ module }) => module)).toEqual(['acme', 'zerossl'])
  })
})

describe('an agent on it', () => {
  test('is deployed to the prepared machine', async () => {
    const answer = await measurements.measure('prepared', vm, () => deploy())
    expect(answer.error).toBeUndefined()
    expect(answer.result).toMatchObject({ changed: ['secrets', 'service'], round_trips: 2 })
  })

  test('answers through Caddy with its own prompt, unchanged', async () => {
    const agent = agentClient(vm, ADDRESS)
    expect(await agent.answers()).toMatchObject({ version: runner.agentVersion })
    expect(await agent.chat('hi there', 't1')).toContain('hello from the model')
    expect(model.systemPrompt()).toContain(ODD_PROMPT)
    expect([...model.keys]).toEqual([`Bearer ${KEY}`])
  })

  test('is reached by answers that name no program, also while it is away', async () => {
    const ask = (url: string) =>
      vm.sh(`curl -ski --resolve ${ADDRESS.domain}:443:127.0.0.1 -H Host:${ADDRESS.domain} ${url}`)
    const urls = [`https://${ADDRESS.domain}/health`, 'http://127.0.0.1/health']
    const answers = await Promise.all(urls.map(ask))
    await vm.sh('systemctl stop baal-agent')
    answers.push(await ask(urls[0] ?? ''))
    await vm.sh('systemctl start baal-agent')
    expect(answers.map((answer) => / (\d+)/.exec(answer)?.[1])).toEqual(['200', '308', '502'])
    expect(answers.join('\n')).not.toMatch(/^(server|via):|caddy/im)
    await agentClient(vm, ADDRESS).answers()
  })

  test('is left alone by a second deployment, which takes one round trip', async () => {
    const answer = await measurements.measure('unchanged', vm, () => deploy())
    expect(answer.result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
  })

  test('cannot find a secret with everything its shell can do', async () => {
    const agent = agentClient(vm, ADDRESS)
    await vm.sh('printf planted-control > /srv/baal/workspace/control.txt; chmod 644 /srv/baal/workspace/control.txt')
    const look = `echo ${ADVERSARY} | base64 -d > /tmp/look.sh; timeout 900 bash /tmp/look.sh > look.txt 2>&1 & sleep 1; echo started`
    await agent.chat(`bash: ${look}`, 't2')
    const lastLine = () => vm.sh('tail -n 1 /srv/baal/workspace/look.txt')
    await expect.poll(lastLine, { timeout: 900_000, interval: 3_000 }).toBe('finished')
    const output = await vm.sh('cat /srv/baal/workspace/look.txt')
    // The control shows that the search would have found something.
    const findings = output.split('\n').filter((line) => /^(found|may|unusual|sees)/.test(line))
    expect(findings).toEqual(['found in files of /srv: planted-control'])
    expect(output).toMatch(/CapEff:\s+0000000000000000/)
    expect(output).toMatch(/NoNewPrivs:\s+1/)
    expect(output).toContain('(baal-tools)')
  })

  test('is not led by links in its workspace to what its server may read', async () => {
    const agent = agentClient(vm, ADDRESS)
    for (const path of LINKS) expect(await agent.get(`/files/${path}`)).not.toContain('planted')
    await agent.chat('hi', 't3', 'c3')
    expect(model.everything()).not.toContain(ADDRESS.secret)
    await vm.sh(`cd /srv/baal/workspace && find . -type l -delete`)
  })

  test('comes back when its server is killed, and stays when a command eats all the memory', async () => {
    const agent = agentClient(vm, ADDRESS)
    const mainPid = () => vm.sh('systemctl show -p MainPID --value baal-agent')
    const killed = await mainPid()
    await vm.sh('systemctl kill --kill-whom=main -s KILL baal-agent')
    await expect.poll(mainPid, { timeout: 60_000, interval: 500 }).not.toMatch(new RegExp(`^(0|${killed})$`))
    await agent.answers()
    const before = await mainPid()
    await vm.sh('systemctl set-property --runtime baal-agent MemoryMax=300M')
    await agent.chat('bash: head -c 2G /dev/zero | tail | wc -c', 't4')
    expect(await vm.sh('grep -w oom_kill /sys/fs/cgroup/system.slice/baal-agent.service/memory.events')).not.toMatch(
      / 0$/,
    )
    expect(await mainPid()).toBe(before)
    await agent.answers()
    await vm.sh('systemctl set-property --runtime baal-agent MemoryMax=85%')
  })

  test('runs new code and a new prompt after an update, and remembers', async () => {
    const newer = await startRunner({ ...runnerOptions, alter: (bundle) => `${bundle}// newer\n` })
    await runner.stop()
    runner = newer
    const { result } = await deploy(deployment({ system_prompt: 'Be a newer fox.' }))
    expect(result?.changed).toEqual(['bundle', 'service'])
    const agent = agentClient(vm, ADDRESS)
    expect(await agent.answers()).toMatchObject({ version: newer.agentVersion })
    await agent.chat('and now?', 't5')
    expect(model.systemPrompt()).toContain('Be a newer fox.')
    expect(model.everything()).toContain('hi there')
  })

  test('answers with its former code, prompt and history when newer code changes its database and ends', async () => {
    const broken = await startRunner({ ...runnerOptions, alter: breakAfterMigration })
    const answer = await broken.call('/machines/deploy', deployment({ system_prompt: 'Be a broken fox.' }))
    await broken.stop()
    expect(answer.error).toMatchObject({ code: 'unhealthy', step: 'health', rolled_back_to: runner.agentVersion })
    expect(answer.error?.message).toContain('the end of the world')
    const agent = agentClient(vm, ADDRESS)
    expect(await agent.answers()).toMatchObject({ version: runner.agentVersion })
    await agent.chat('still there?', 't6')
    expect(model.systemPrompt()).toContain('Be a newer fox.')
    expect(model.everything()).toContain('hi there')
    expect(await vm.sh('cd /opt/baal && ls -d former /var/lib/baal/*.former 2>/dev/null || true')).toBe('')
    expect(await vm.sh('stat -c %U /var/lib/baal/agent.db')).toBe('baal')
    const unchanged = await deploy(deployment({ system_prompt: 'Be a newer fox.' }))
    expect(unchanged.result).toMatchObject({ changed: [], round_trips: 1 })
  })

  test('is as it was, its way in included, when an update on trial cannot be reached from outside', async () => {
    const moved = deployment({ system_prompt: 'Be an unreachable fox.' }, { ...ADDRESS, domain: 'elsewhere.test' })
    expect((await deploy({ ...moved, trial: 'trial-1' })).error).toBeUndefined()
    const settle = () =>
      untilFree(() => runner.call('/machines/settle', { target: target(), trial: 'trial-1', verdict: 'bad' }))
    expect((await settle()).result).toMatchObject({ rolled_back_to: runner.agentVersion, changed: ['rollback'] })
    expect((await settle()).result).toMatchObject({ rolled_back_to: runner.agentVersion })
    const agent = agentClient(vm, ADDRESS)
    await agent.answers()
    await agent.chat('back again?', 't7')
    expect(model.systemPrompt()).toContain('Be a newer fox.')
    const unchanged = await deploy(deployment({ system_prompt: 'Be a newer fox.' }))
    expect(unchanged.result).toMatchObject({ changed: [], round_trips: 1 })
    expect(await vm.sh('ls -d /opt/baal/former 2>/dev/null || true')).toBe('')
  })

  // What a deployment does anew of itself is cut here as well; the steps before it need something to be missing.
  test.each([
    ['inspect', 'true'],
    ['bundle', 'rm /opt/baal/agent.mjs'],
    ['workspace', 'rm /opt/baal/templates.sha256'],
    ['secrets', 'true'],
    ['service', 'true'],
    ['ingress', 'true'],
    ['health', 'true'],
  ])('is made whole again after a cut at %s', async (step, before) => {
    await vm.sh(before)
    const address = { domain: step === 'ingress' ? 'moved.test' : ADDRESS.domain, secret: `${ADDRESS.secret}-${step}` }
    const request = deployment({ system_prompt: `changed before ${step}` }, address)
    expect((await cutAt(step, '/machines/deploy', request)).error?.code).toBe('disconnected')
    expect((await deploy(request)).error).toBeUndefined()
    expect((await deploy(request)).result).toMatchObject({ changed: [], round_trips: 1 })
    const agent = agentClient(vm, address)
    await agent.answers()
    expect(await agent.chat('hi', `cut-${step}`)).toContain('hello')
    expect(model.systemPrompt()).toContain(`changed before ${step}`)
    expect(await vm.sh('ls -A /root/.baal-staging 2>/dev/null || true')).toBe('')
  })

  test('is refused where another host key is expected', async () => {
    const answer = await deploy({ ...deployment(), target: { ...target(), host_key: OTHER_HOST_KEY } })
    expect(answer.error).toMatchObject({ code: 'host_key_mismatch' })
  })

  test('keeps its secrets out of commands, logs, progress and the unit', async () => {
    expect(runner.output()).not.toContain('planted')
    expect(await vm.sh('journalctl --no-pager | grep -c plant[e]d || true')).toBe('0')
    expect(await vm.sh('systemctl cat baal-agent; systemctl show baal-agent')).not.toContain('planted')
    expect(await vm.sh('stat -c %a%U /etc/baal/secrets.json')).toBe('400root')
  })
})

describe('at the end', () => {
  test('the machine is wiped of everything that was the agent, as soon as nothing holds it', async () => {
    await vm.sh('mkdir -p /srv/baal/workspace/disk && mount -t tmpfs tmpfs /srv/baal/workspace/disk')
    const message = expect.stringContaining('/srv/baal/workspace could not be removed')
    expect((await wipe()).error).toMatchObject({ code: 'step_failed', step: 'wipe', message })
    await vm.sh('umount /srv/baal/workspace/disk')
    expect((await wipe()).error).toBeUndefined()
    expect(await vm.sh('grep -rlas "plant[e]d" /etc /opt /srv /var /root /run /tmp || true')).toBe('')
    expect(await vm.sh('ls -d /opt/baal /etc/baal /srv/baal /var/lib/baal 2>/dev/null || true')).toBe('')
    expect(await vm.sh('id baal 2>/dev/null; id baal-tools 2>/dev/null; pgrep -f launch[.]mjs || true')).toBe('')
  })

  test('a bare machine, nothing on it but the packages, is given an agent in one go', async () => {
    const answer = await measurements.measure('bare', vm, () => deploy())
    expect(answer.error).toBeUndefined()
    const changed = ['users', 'runtime', 'bundle', 'workspace', 'secrets', 'service', 'ingress']
    expect(answer.result?.changed.toSorted()).toEqual(changed.toSorted())
    expect(answer.result?.round_trips).toBe(2)
    await agentClient(vm, ADDRESS).answers()
    expect((await wipe()).error).toBeUndefined()
  })

  test('it joins the pool as a host of the operator’s own, from nothing but its packages', async () => {
    host = await registerOperatorHost({ vm, runner, publicUrl: `http://10.0.2.2:${model.port}`, ...HOST })
    await measurements.time('pool host prepared, packages present', vm, () => host.tend())
    expect(await host.row()).toMatchObject({ state: 'warm', hostKey, failure: null, agentId: null })
    expect(await vm.sh('ls -A /etc/baal')).toBe('applied-ingress')
  })

  test('it carries an agent that was asked for in a chat', async () => {
    await measurements.time('agent on the pool host', vm, () => host.create())
    expect(await host.row()).toMatchObject({ state: 'in_use', agentId: host.agentId })
    expect(await agentClient(vm, HOST).chat('hi', 'again')).toContain('hello')
  })

  test('it returns to the pool when that agent is deleted, with nothing of it', async () => {
    await host.destroy()
    expect(await host.row()).toMatchObject({ state: 'warm', failure: null, agentId: null })
    expect(await vm.sh(`grep -rlas '${HOST.secret.replace('a', '[a]')}' /etc /opt /srv /var /run || true`)).toBe('')
    expect(await vm.sh('ls -A /etc/baal; ls -A /var/lib/baal; systemctl is-active baal-agent || true')).toBe(
      'applied-ingress\ninactive',
    )
  })
})

/** As apt does it, and says so by a file. */
const HOLD_DPKG_LOCK = `use Fcntl;
open(my $lock, ">", "/var/lib/dpkg/lock-frontend") or die;
my $whole_file = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
fcntl($lock, F_SETLK, $whole_file) or die;
open(my $held, ">", "/run/held") or die;
sleep 600;
`

/** Made by the adversary. */
const LINKS = ['memory/MEMORY.md', 'HEARTBEAT.md', 'skills/link/SKILL.md', 'link-to-credentials', 'link-to-database']

/** Cuts the connection as soon as the step begins. */
async function cutAt(step: string, path: string, body: { readonly target: object }): Promise<Answer> {
  const proxy = await openProxy(vm.sshPort)
  try {
    return await runner.call(path, { ...body, target: target(proxy.port) }, (line) => {
      if (line.step === step && line.status === 'start') proxy.cut()
    })
  } finally {
    proxy.close()
  }
}

/** What a cut call left at work on the machine may take longer than the next one waits for it. */
async function untilFree(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await call()
    if (answer.error?.code !== 'busy') return answer
  }
}
