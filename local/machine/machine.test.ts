import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeSSH } from 'node-ssh'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateSshKeyPair } from '../../deploy-runner/ssh-key-pair.ts'
import { canConfine } from './confinement.ts'
import { type LocalMachine, type PowerOnOptions, powerOn } from './power-on.ts'

const keys = generateSshKeyPair()
const confinable = await canConfine()

let folder: string
const machines: LocalMachine[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-machine-'))
})
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.powerOff()
  await rm(folder, { recursive: true, force: true })
})

async function on(options: Partial<PowerOnOptions> = {}): Promise<LocalMachine> {
  const machine = await powerOn({ id: `test-${folder.slice(-6)}`, folder, authorizedKeys: [keys.public], ...options })
  machines.push(machine)
  return machine
}

const connect = (machine: LocalMachine, privateKey = keys.private) =>
  new NodeSSH().connect({ host: '127.0.0.1', port: machine.sshPort, username: 'root', privateKey })

describe.each([['unconfined', false], ...(confinable ? ([['confined', true]] as const) : [])] as const)(
  'a machine that is %s',
  (_, confine) => {
    test('runs commands in its home, with input, output and exit code', async () => {
      const machine = await on({ confine })
      const ssh = await connect(machine)
      const result = await ssh.execCommand('cat > a.txt; pwd; echo oops >&2; exit 3', { stdin: 'hello' })
      expect(result).toMatchObject({ stdout: machine.home, stderr: 'oops', code: 3 })
      expect((await ssh.execCommand('cat a.txt')).stdout).toBe('hello')
      ssh.dispose()
    })

    test('has Node, and nothing of our own environment', async () => {
      process.env.BAAL_PLANTED = 'planted'
      const ssh = await connect(await on({ confine }))
      delete process.env.BAAL_PLANTED
      expect((await ssh.execCommand('node --version')).stdout).toBe(process.version)
      expect((await ssh.execCommand('env')).stdout).not.toContain('planted')
      ssh.dispose()
    })

    test('starts what rc.local says at power-on and takes it down at power-off', async () => {
      const machine = await on({ confine })
      await writeFile(join(machine.home, 'rc.local'), 'while :; do date +%s%N > beat; sleep 0.05; done\n')
      await machine.powerOff()
      const again = await on({ confine })
      await expect.poll(() => existsSync(join(again.home, 'beat'))).toBe(true)
      await again.powerOff()
      await rm(join(again.home, 'beat'), { force: true })
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(existsSync(join(again.home, 'beat'))).toBe(false)
    })

    test('keeps its host key, so that who pinned it knows it again', async () => {
      const first = await on({ confine })
      await first.powerOff()
      expect((await on({ confine })).hostKey).toBe(first.hostKey)
    })

    test('lets nobody in with another key', async () => {
      const machine = await on({ confine })
      await expect(connect(machine, generateSshKeyPair().private)).rejects.toThrow()
    })
  },
)

test.runIf(confinable)('a confined machine sees neither our files nor our processes', async () => {
  const secret = join(folder, 'secret')
  await writeFile(secret, 'planted')
  const ssh = await connect(await on({ confine: true }))
  expect((await ssh.execCommand(`cat ${secret} ${process.cwd()}/package-lock.json`)).code).not.toBe(0)
  expect((await ssh.execCommand(`ls /proc/${process.pid}/`)).code).not.toBe(0)
  expect((await ssh.execCommand('ls /root /home')).stdout).toBe('')
  ssh.dispose()
})
