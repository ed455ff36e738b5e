import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { findLaunchFacts, planLaunch, ToolUserUnknown } from './process/launch.ts'
import { makeRunner } from './tool-runner.fixture.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
const entry = ['/opt/agent.mjs', 'tools']

describe('planLaunch', () => {
  test('switches user by setpriv, with nothing left to the tools', () => {
    const plan = planLaunch({ uid: 0, maySwitch: true, setpriv: '/usr/bin/setpriv', user: NOBODY }, '/w', entry)
    expect(plan.separateUser).toBe(true)
    expect([plan.command, ...plan.args].join(' ')).toMatch(
      /^\/usr\/bin\/setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all -- \S+node .*\/opt\/agent\.mjs tools$/,
    )
    expect(plan.uid).toBeUndefined()
  })

  test('a server with capabilities never switches without setpriv: its tools would keep them', () => {
    const plan = planLaunch({ uid: 990, maySwitch: true, setpriv: undefined, user: NOBODY }, '/w', entry)
    expect(plan).toMatchObject({ separateUser: false })
    expect(plan.confinement).toContain('can read its secrets')
  })

  test('root switches without setpriv too', () => {
    const plan = planLaunch({ uid: 0, maySwitch: true, setpriv: undefined, user: NOBODY }, '/w', entry)
    expect(plan).toMatchObject({ separateUser: true, ...NOBODY })
  })

  test('without the right to switch, it says so', () => {
    for (const user of [NOBODY, undefined, { uid: 1000, gid: 1000 }]) {
      const plan = planLaunch({ uid: 1000, maySwitch: false, setpriv: '/usr/bin/setpriv', user }, '/w', entry)
      expect(plan.separateUser).toBe(false)
      expect(plan.confinement).toContain('same user as the server')
      expect(plan.args).toContain('--no-new-privs')
    }
  })

  test('hands on four variables and none of the server’s', () => {
    const plan = planLaunch({ uid: 0, maySwitch: true, setpriv: undefined, user: NOBODY }, '/w', entry)
    expect(Object.keys(plan.env).sort()).toEqual(['HOME', 'LANG', 'PATH', 'TERM'])
  })

  test('a user that does not exist stops the start', () => {
    expect(() => findLaunchFacts('no-such-user-here')).toThrow(ToolUserUnknown)
  })
})

describe('the environment of commands', () => {
  test('holds nothing of the server’s', async () => {
    vi.stubEnv('AGENT_SECRET_PLANTED', 'PLANTED')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { run } = await makeRunner()
    const { content } = await run('bash', { command: 'env | cut -d= -f1 | sort | xargs' })
    expect(content).toBe('BAAL_CALL HOME LANG PATH PWD SHLVL TERM _')
    const files = await run('bash', { command: 'ls -l /proc/self/fd /pr*/$PPID/f""d' })
    expect(files.content).not.toMatch(/schedules\.db|\/data\//)
  })

  test('the log says at the start how tools are kept apart', async () => {
    const { logged, runner } = await makeRunner()
    expect(logged).toContainEqual({ level: 'warn', event: 'tools_confinement' })
    expect(runner.confinement).toContain('same user')
  })
})

describe.runIf(canRunAsNobody())('as another user', () => {
  test('commands reach none of the server’s secrets: environment, memory, files, open files', async () => {
    // Made here: the text of this very test lies in caches that anybody may read.
    const planted = `planted-${randomUUID()}`
    vi.stubEnv('AGENT_SECRET_PLANTED', planted)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { run, dataDir } = await makeConfinedRunner()
    writeFileSync(join(dataDir, 'agent.db'), planted, { mode: 0o600 })
    writeFileSync(join(dataDir, '..', 'secrets.json'), planted, { mode: 0o600 })
    const attempts = [
      `cat ${dataDir}/agent.db ${dataDir}/../secrets.json ${dataDir}/schedules.db`,
      `ls ${dataDir}`,
      // Written so that the patterns do not see it.
      `for f in e""nviron m""em m""aps; do c""at /pr*/${process.pid}/$f; done; c""at /pr*/[0-9]*/e""nviron`,
      `ls -l /pr*/${process.pid}/f""d`,
      `for f in /pr*/${process.pid}/f""d/*; do cat $f; done`,
      `python3 -c "open('/pr'+'oc/${process.pid}/m'+'em','rb').read(1)"; kill -0 ${process.pid}`,
      'grep -ras "planted-........-....-" /tmp /var/tmp /dev/shm . | head',
    ]
    for (const command of attempts) {
      const { content } = await run('bash', { command, timeout_s: 20 })
      expect(content, command).not.toContain(planted)
      // A copy of this test may lie where the search looks: it names the format, too.
      if (!command.startsWith('grep')) expect(content, command).not.toContain('SQLite format')
    }
    for (const command of [`ls ${dataDir}`, `cat /pr*/${process.pid}/e""nviron`, `cat /pr*/${process.pid}/m""aps`]) {
      expect((await run('bash', { command })).content).toContain('Permission denied')
    }
    expect((await run('bash', { command: `kill -0 ${process.pid}` })).ok).toBe(false)
  })

  test('they have no capabilities, no groups, and cannot gain any', async () => {
    const { run, runner } = await makeConfinedRunner()
    expect(runner.confinement).toContain('as user 65534')
    const { content } = await run('bash', {
      command: 'id -u; id -G; grep -E "^(CapPrm|CapEff|CapAmb|NoNewPrivs|Groups):" /proc/self/status | xargs',
    })
    expect(content).toBe(
      `65534\n65534\nGroups: CapPrm: 0000000000000000 CapEff: 0000000000000000 CapAmb: 0000000000000000 NoNewPrivs: 1`,
    )
  })

  test('files they write are theirs, and a stop ends what they run', async () => {
    const { run, workspace } = await makeConfinedRunner()
    expect((await run('write_file', { path: 'a/b', content: 'x' })).ok).toBe(true)
    expect(execFileSync('stat', ['-c', '%u', join(workspace, 'a/b')], { encoding: 'utf8' }).trim()).toBe('65534')
    const controller = new AbortController()
    const call = run('bash', { command: 'setsid sleep 7777 & sleep 7777' }, { signal: controller.signal })
    await run('bash', { command: 'until [ $(pgrep -fc "^sleep 7777") = 2 ]; do sleep 0.05; done', timeout_s: 30 })
    controller.abort()
    await call
    expect((await run('bash', { command: 'pgrep -fc "^sleep 7777"' })).content).toMatch(/^0\n/)
  })

  test('a server with three capabilities instead of root hands none of them on', async () => {
    const folder = makeOpenFolder()
    const workspace = join(folder, 'workspace')
    const dataDir = join(folder, 'data')
    mkdirSync(workspace)
    mkdirSync(dataDir, { mode: 0o700 })
    chownSync(workspace, NOBODY.uid, NOBODY.gid)
    chownSync(dataDir, 1, 1)
    const program = `
      import { createToolRunner } from ${JSON.stringify(join(import.meta.dirname, 'create-tool-runner.ts'))}
      const runner = await createToolRunner({ workspacePath: ${JSON.stringify(workspace)}, dataDir: ${JSON.stringify(dataDir)}, toolUser: 'nobody', ports: {}, log: () => {} })
      const user = { id: '1', name: '', role: 'owner' }
      const result = await runner.run({ id: '1', name: 'bash', input: { command: 'id -u; grep -E "^Cap(Prm|Eff|Amb)" /proc/self/status | xargs' } },
        { chatId: '1', turnId: '1', user, origin: 'chat', signal: new AbortController().signal })
      console.log(result.content)
      await runner.close()`
    const caps = '+setuid,+setgid,+kill'
    const output = execFileSync(
      'setpriv',
      [
        '--reuid=1',
        '--regid=1',
        '--clear-groups',
        '--no-new-privs',
        `--bounding-set=-all,${caps}`,
        `--inh-caps=-all,${caps}`,
        `--ambient-caps=${caps}`,
        process.execPath,
        '--no-warnings',
        '--input-type=module',
        '-e',
        program,
      ],
      { encoding: 'utf8', cwd: folder, env: { PATH: '/usr/bin:/bin' } },
    )
    expect(output.trim()).toBe('65534\nCapPrm: 0000000000000000 CapEff: 0000000000000000 CapAmb: 0000000000000000')
  })
})

async function makeConfinedRunner() {
  const workspacePath = join(makeOpenFolder(), 'workspace')
  mkdirSync(workspacePath)
  chownSync(workspacePath, NOBODY.uid, NOBODY.gid)
  return makeRunner({ workspacePath, toolUser: 'nobody' })
}

/** `mkdtemp` makes folders that nobody else can enter. */
function makeOpenFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'baal-open-')))
  execFileSync('chmod', ['755', folder])
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}

/** Needs root, setpriv, that user, and sources that it can read. */
function canRunAsNobody(): boolean {
  if (process.getuid?.() !== 0 || !readFileSync('/etc/passwd', 'utf8').includes('nobody:x:65534:')) return false
  const args = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '-e',
    'fs.readFileSync(process.argv[1])',
  ]
  return spawnSync('setpriv', [...args, join(import.meta.dirname, 'tool-process.ts')]).status === 0
}
