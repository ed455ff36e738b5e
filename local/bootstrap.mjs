/**
 * First step of every npm script. Runs on the machine's own Node (20 or newer) with nothing installed: installs what the
 * lock file names when that has changed, then hands over to the project's own Node 24.
 *
 * node local/bootstrap.mjs <program> [arguments…]
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node24 = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const stamp = join(root, 'node_modules', '.baal-installed')

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!isInstalled()) install()
run(process.argv.slice(2))

function isInstalled() {
  return existsSync(node24) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
}

function install() {
  console.error('Installing what the lock file names (once; needs the npm registry) …')
  const startedAt = Date.now()
  // Through the shell npm that started us, so that the person's own registry and proxy settings apply.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const { status, error } = spawnSync(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (error || status !== 0 || !existsSync(node24)) {
    console.error(
      'The installation failed. Check the network and the messages above, then run the same command again.\n' +
        'If npm says that scripts are ignored, allow them for the package "node": it brings the Node 24 that Baal runs on.',
    )
    process.exit(1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
  console.error(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`)
}

function run([program, ...rest]) {
  const child = spawn(node24, [...nodeFlags(program), join(root, program), ...rest], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(node24)}:${process.env.PATH}` },
  })
  // The terminal sends Ctrl-C to the whole group; waiting for the child lets it stop what it started, in order.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  if (process.env.npm_lifecycle_event) endWithParent(child)
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)))
}

/** Who stops npm by its pid stops npm's shell, and that tells nobody: everything would run on, and hold its ports. */
function endWithParent(child) {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 500).unref()
}

function nodeFlags(program) {
  return program.endsWith('.ts') ? ['--disable-warning=ExperimentalWarning'] : []
}
