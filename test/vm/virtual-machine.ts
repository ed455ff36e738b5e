/** A booted Debian machine in QEMU: everything it writes is gone with it, two of its ports are reachable from here. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeSSH } from 'node-ssh'
import { type StartedProcess, startProcess } from '../../local/child-process.ts'
import { freePort } from '../../local/sqld.ts'
import type { DebianImage } from './debian-image.ts'

/** An emulated machine with nothing else to do boots in a minute and a half; others may be busy. */
const BOOT_LIMIT_MS = 12 * 60_000
const SSH_PAUSE_MS = 1_000

export interface VirtualMachine {
  readonly sshPort: number
  readonly httpsPort: number
  readonly sshPrivateKey: string
  /** A session of the test's own, beside what is tested. */
  readonly ssh: NodeSSH
  /** Runs a command as root; @throws when it fails. */
  sh(command: string, stdin?: string): Promise<string>
  stop(): Promise<void>
}

export async function bootVirtualMachine(image: DebianImage): Promise<VirtualMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-vm-'))
  const console_ = join(folder, 'console.log')
  const [sshPort, httpsPort] = [await freePort(), await freePort()]
  createWriteStream(console_).end()
  const qemu = startProcess({
    name: 'qemu',
    // Ends with us, however we end.
    command: 'setpriv',
    args: [
      ...['--pdeathsig', 'KILL', 'qemu-system-x86_64'],
      // Emulated throughout: what /dev/kvm promises is not kept on every build machine.
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '2048', '-smp', '2'],
      ...['-display', 'none', '-monitor', 'none', '-serial', `file:${console_}`],
      ...['-kernel', image.kernel, '-initrd', image.initrd, '-append', 'root=/dev/vda rw console=ttyS0 quiet'],
      ...['-drive', `file=${image.disk},if=virtio,format=raw,snapshot=on`],
      '-netdev',
      `user,id=n0,hostfwd=tcp:127.0.0.1:${sshPort}-:22,hostfwd=tcp:127.0.0.1:${httpsPort}-:443`,
      ...['-device', 'virtio-net-pci,netdev=n0', '-device', 'virtio-rng-pci'],
    ],
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, TMPDIR: folder },
  })
  const stop = async () => {
    await qemu.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    void qemu.ended.then(({ code, signal }) => {
      if (signal !== 'SIGTERM') console.error(`qemu ended by itself (${code ?? signal}): ${qemu.lastOutput()}`)
    })
    const ssh = await firstConnection(sshPort, image.sshPrivateKey, qemu)
    return {
      sshPort,
      httpsPort,
      sshPrivateKey: image.sshPrivateKey,
      ssh,
      sh: (command, stdin) => sh(ssh, command, stdin),
      stop: async () => {
        ssh.dispose()
        await stop()
      },
    }
  } catch (cause) {
    const output = await readFile(console_, 'utf8').catch(() => '')
    await stop()
    throw new Error(`the machine did not boot:\n${qemu.lastOutput()}\n${output.slice(-2_000)}`, { cause })
  }
}

async function firstConnection(port: number, privateKey: string, qemu: StartedProcess): Promise<NodeSSH> {
  const deadline = Date.now() + BOOT_LIMIT_MS
  const ended = qemu.ended.then(() => Promise.reject(new Error('qemu ended')))
  ended.catch(() => undefined)
  while (true) {
    const ssh = new NodeSSH()
    const connecting = ssh.connect({ host: '127.0.0.1', port, username: 'root', privateKey, readyTimeout: 30_000 })
    connecting.catch(() => undefined)
    try {
      await Promise.race([connecting, ended])
      // The machine's end resets what is still open.
      ssh.connection?.on('error', () => undefined)
      return ssh
    } catch (error) {
      ssh.dispose()
      if (Date.now() > deadline || (error instanceof Error && error.message === 'qemu ended')) throw error
      await new Promise((resolve) => setTimeout(resolve, SSH_PAUSE_MS))
    }
  }
}

async function sh(ssh: NodeSSH, command: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await ssh.execCommand(command, stdin === undefined ? {} : { stdin })
  if (code !== 0) throw new Error(`${command.slice(0, 200)}: exit ${code}\n${stdout}\n${stderr}`)
  return stdout
}
