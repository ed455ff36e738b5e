import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../local/settings.ts'

/** What a folder may import from other folders of the project. Types and schemas only: the `protocol.ts` of who serves. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  functions: ['agent-vm/protocol.ts', 'deploy-runner/protocol.ts', 'package.json'],
  'agent-vm': [],
  'deploy-runner': ['agent-vm/protocol.ts'],
}

/** A unit test may use what starts the world around its part; the part itself may not. */
const TEST_MAY_IMPORT = ['local/', 'test/']

/** Put the parts together into what is shipped; nothing of them runs in a part. */
const BUILD_SCRIPTS = ['deploy-runner/build.ts']

interface Import {
  readonly file: string
  readonly target: string
}

async function importsOf(folder: string): Promise<Import[]> {
  const found: Import[] = []
  for await (const file of glob(`${folder}/**/*.ts`, { cwd: ROOT })) {
    const source = readFileSync(join(ROOT, file), 'utf8')
    for (const match of source.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      found.push({ file, target: relative(ROOT, join(ROOT, dirname(file), match[1] ?? '')) })
    }
  }
  return found
}

const isTest = (file: string) => /\.test\.ts$|\.fake\.ts$|\/testing\//.test(file)

describe('the folders', () => {
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    test(`${folder} imports only what the design allows`, async () => {
      const imports = await importsOf(folder)
      const wrong = imports.filter(({ file, target }) => {
        if (target.startsWith(`${folder}/`) || allowed.includes(target) || BUILD_SCRIPTS.includes(file)) return false
        return !(isTest(file) && TEST_MAY_IMPORT.some((prefix) => target.startsWith(prefix)))
      })
      expect(imports.length).toBeGreaterThan(0)
      expect(wrong).toEqual([])
    })
  }

  test('protocols hold schemas and types and import nothing of ours', async () => {
    const imports = [...(await importsOf('agent-vm')), ...(await importsOf('deploy-runner'))]
    expect(imports.filter(({ file }) => file.endsWith('/protocol.ts'))).toEqual([])
  })

  test('no part imports an entry', async () => {
    const entries = ['functions/index.ts', 'agent-vm/main.ts', 'deploy-runner/main.ts', 'local/start.ts']
    const imports = (await Promise.all(['functions', 'agent-vm', 'deploy-runner', 'local'].map(importsOf))).flat()
    expect(imports.filter(({ file, target }) => !isTest(file) && entries.includes(target))).toEqual([])
  })

  test('the Aleph SDK is never reached by a static import, so that webhooks do not pay for it', async () => {
    const found: string[] = []
    for await (const file of glob('functions/**/*.ts', { cwd: ROOT })) {
      const source = readFileSync(join(ROOT, file), 'utf8')
      if (!isTest(file) && /^import (?!type)[^\n]*@aleph-sdk/m.test(source)) found.push(file)
    }
    expect(found).toEqual([])
  })
})

test('SSH keys are made in one place, because every 200th that ssh2 makes is malformed', async () => {
  const found: string[] = []
  for await (const file of glob('{agent-vm,deploy-runner,functions,local,test}/**/*.ts', { cwd: ROOT })) {
    if (/utils\.generateKeyPair/.test(readFileSync(join(ROOT, file), 'utf8'))) found.push(file)
  }
  expect(found).toEqual(['deploy-runner/ssh-key-pair.ts'])
})

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

  test('holds no addresses, so that any registry will do', () => {
    expect(JSON.stringify(lock)).not.toContain('"resolved"')
  })

  test('knows every platform of the packages that come as one binary each', () => {
    const missing: string[] = []
    for (const [path, entry] of Object.entries<{ optionalDependencies?: Record<string, string> }>(lock.packages)) {
      for (const name of Object.keys(entry.optionalDependencies ?? {})) {
        const nested = path ? `${path}/node_modules/${name}` : ''
        if (!lock.packages[`node_modules/${name}`] && !lock.packages[nested]) missing.push(`${path} -> ${name}`)
      }
    }
    expect(missing).toEqual([])
  })

  test('goes with exact versions in package.json', () => {
    const versions = Object.values<string>({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    })
    expect(versions.filter((version) => !/^(npm:@[\w/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })
})
