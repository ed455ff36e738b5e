/**
 * The disk of a real Debian 12 machine with systemd and sshd, made by debootstrap from the archive that this computer itself
 * uses. Made once per recipe and kept in the person's cache folder; virtual machines run on throw-away copies of it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, copyFile, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateSshKeyPair } from '../../deploy-runner/ssh-key-pair.ts'
import { cached } from './cache.ts'

const run = promisify(execFile)

const DISK_BYTES = 4 * 1024 ** 3
const SUITE = 'bookworm'
/** As on a cloud image, and nothing that the installer should bring itself. */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'openssh-server',
  'linux-image-cloud-amd64',
  'ca-certificates',
  'curl',
  'iproute2',
  'dbus',
  'procps',
  'initramfs-tools',
  'udev',
  'sudo',
]
const NETWORK = '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n'
/** Raise when the steps below change. */
const RECIPE_VERSION = 1
const BUILD_LIMIT_MS = 15 * 60_000

/** Programs that must be there, with the Debian package that brings each. */
const NEEDED = {
  'qemu-system-x86_64': 'qemu-system-x86',
  debootstrap: 'debootstrap',
  'mkfs.ext4': 'e2fsprogs',
} as const

export interface DebianImage {
  readonly disk: string
  readonly kernel: string
  readonly initrd: string
  /** OpenSSH private key that root's account lets in. */
  readonly sshPrivateKey: string
}

/** What is missing to build and boot a virtual machine, as one sentence; `undefined` when nothing is. */
export async function missingPrerequisites(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'The VM tests need Linux on x86_64.'
  if (process.getuid?.() !== 0) return 'The VM tests need root: debootstrap makes device files and owners.'
  const found = await Promise.all(
    Object.entries(NEEDED).map(async ([program, name]) => ((await isInstalled(program)) ? [] : [name])),
  )
  const missing = found.flat()
  if (missing.length === 0) return undefined
  return `Not installed: ${missing.join(', ')}. Run: apt-get install -y --no-install-recommends ${missing.join(' ')}`
}

export async function ensureDebianImage(): Promise<DebianImage> {
  const recipe = createHash('sha256')
    .update(JSON.stringify([RECIPE_VERSION, SUITE, PACKAGES, NETWORK, DISK_BYTES]))
    .digest('hex')
    .slice(0, 12)
  const folder = await cached('debian', recipe, buildImage)
  return {
    disk: join(folder, 'disk.img'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
    sshPrivateKey: await readFile(join(folder, 'ssh_key'), 'utf8'),
  }
}

async function buildImage(building: string): Promise<void> {
  const root = join(building, 'root')
  await mkdir(root)
  const options = { timeout: BUILD_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }
  const mirror = await archiveOfThisMachine()
  await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root, mirror], options)
  await configure(root, building)
  const boot = await readdir(join(root, 'boot'))
  for (const name of ['vmlinuz', 'initrd'] as const) {
    const file = boot.find((candidate) => candidate.startsWith(`${name}-`) || candidate.startsWith(`${name}.img-`))
    if (!file) throw new Error(`the image has no ${name} in /boot`)
    await copyFile(join(root, 'boot', file), join(building, name))
  }
  const disk = join(building, 'disk.img')
  await writeFile(disk, '')
  await truncate(disk, DISK_BYTES)
  await run('mkfs.ext4', ['-q', '-F', '-d', root, disk], options)
  await rm(root, { recursive: true, force: true })
}

async function configure(root: string, building: string): Promise<void> {
  const key = generateSshKeyPair()
  await writeFile(join(building, 'ssh_key'), key.private, { mode: 0o600 })
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 })
  await writeFile(join(root, 'root/.ssh/authorized_keys'), `${key.public}\n`, { mode: 0o600 })
  await writeFile(join(root, 'etc/systemd/network/80-dhcp.network'), NETWORK)
  await writeFile(join(root, 'etc/fstab'), '/dev/vda / ext4 defaults 0 1\n')
  await writeFile(join(root, 'etc/hostname'), 'baal-vm\n')
  await appendFile(join(root, 'etc/hosts'), '127.0.0.1 localhost baal-vm\n')
  // The user network's own resolver.
  await rm(join(root, 'etc/resolv.conf'), { force: true })
  await writeFile(join(root, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n')
  const wanted = join(root, 'etc/systemd/system/multi-user.target.wants')
  await mkdir(wanted, { recursive: true })
  for (const unit of ['ssh', 'systemd-networkd']) {
    await symlink(`/lib/systemd/system/${unit}.service`, join(wanted, `${unit}.service`)).catch(ignoreExisting)
  }
}

/** The first Debian archive in this computer's own package sources. */
async function archiveOfThisMachine(): Promise<string> {
  const folder = '/etc/apt/sources.list.d'
  const files = (await readdir(folder)).map((name) => join(folder, name))
  const texts = await Promise.all(
    ['/etc/apt/sources.list', ...files].filter(existsSync).map((file) => readFile(file, 'utf8')),
  )
  for (const text of texts) {
    const found =
      /^URIs:\s*(\S+)[\s\S]*?^Suites:.*\bbookworm\b/m.exec(text)?.[1] ??
      /^deb\s+(?:\[[^\]]*\]\s+)?(\S+debian\/?)\s+bookworm\b/m.exec(text)?.[1]
    if (found) return found
  }
  throw new Error('no Debian 12 archive among the package sources of this computer')
}

async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`]).then(
    () => true,
    () => false,
  )
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
