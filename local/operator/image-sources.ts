/** What the runner's image is built from: the files that its Dockerfile copies. */
import { createHash } from 'node:crypto'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../settings.ts'

const SOURCES = ['package.json', 'package-lock.json', 'agent-vm/**/*', 'deploy-runner/**/*', 'workspace/**/*']
const NOT_SHIPPED = /\.test\.ts$|\.fake\.ts$|\/testing\//

export async function imageHash(): Promise<string> {
  const files: string[] = []
  for await (const entry of glob(SOURCES, { cwd: ROOT, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !NOT_SHIPPED.test(path)) files.push(path)
  }
  const hash = createHash('sha256')
  for (const file of files.toSorted()) hash.update(file.slice(ROOT.length)).update(await readFile(file))
  return hash.digest('hex')
}
