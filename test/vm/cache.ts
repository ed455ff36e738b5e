/** What takes minutes to make and is the same for every run: kept in the person's cache folder, by a hash of how it is made. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { packRuntime } from '../../deploy-runner/runtime-member.ts'

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'baal-test-vm')

/**
 * Made aside and renamed at the end: what is there is complete, and two runs do not disturb each other. What was made by
 * other recipes goes.
 *
 * @returns the folder `<kind>-<recipe>`
 */
export async function cached(kind: string, recipe: string, make: (folder: string) => Promise<void>): Promise<string> {
  const name = `${kind}-${recipe}`
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  const making = join(CACHE, `making-${name}-${process.pid}`)
  await mkdir(making, { recursive: true })
  try {
    await make(making)
    // Another run may have been faster.
    if (!existsSync(folder)) await rename(making, folder)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
  const others = (await readdir(CACHE)).filter((entry) => entry.startsWith(`${kind}-`) && entry !== name)
  for (const other of others) await rm(join(CACHE, other), { recursive: true, force: true })
  return folder
}

/** The Node that runs the tests, packed for machines as the runner's build does it. */
export async function cachedRuntime(): Promise<string> {
  const folder = await cached('runtime', process.version, async (making) => {
    await writeFile(join(making, 'node.tar.gz'), await packRuntime(process.execPath))
  })
  return join(folder, 'node.tar.gz')
}
