import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, matchesGlob } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderProtocolPages } from '../local/docs/protocol-page.ts'
import { ROOT } from '../local/settings.ts'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const manifest: { scripts: Record<string, string> } = JSON.parse(read('package.json'))

describe('the protocol pages', () => {
  test('say what the schemas say (npm run docs writes them anew)', async () => {
    const pages = await renderProtocolPages()
    expect([...pages.keys()]).toEqual(['docs/protocol/agent-server.md', 'docs/protocol/deploy-runner.md'])
    for (const [file, text] of pages) expect(read(file), file).toBe(text)
  })

  test.each([
    ['agent', 'docs/protocol/agent-server.md'],
    ['runner', 'docs/protocol/deploy-runner.md'],
  ])('show the routes of the %s, all of them', (program, page) => {
    // docs/routes.md is held to the programs themselves by routes.test.ts.
    const served = read('docs/routes.md')
      .matchAll(new RegExp(`^\\| ${program} +\\| (\\w+) +\\| (/[^ {]*)`, 'gm'))
      .map(([, method, path]) => `${method} ${path}`)
    const shown = read(page)
      .matchAll(/^\| `([A-Z]+) (\/[^`?]*)/gm)
      .map(([, method, path]) => `${method} ${path?.replace(/\*\w+/, '*')}`)
    expect([...shown].toSorted()).toEqual([...served].toSorted())
  })
})

describe('every page', async () => {
  const pages = await Array.fromAsync(
    glob('{*.md,docs/**/*.md,*/README.md}', { cwd: ROOT, exclude: (name) => name === 'node_modules' }),
  )

  test('links only to what is there', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].flatMap(([, target = '']) => {
        try {
          readFileSync(join(ROOT, dirname(page), target))
          return []
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EISDIR' ? [] : [`${page} -> ${target}`]
        }
      }),
    )
    expect(pages.length).toBeGreaterThan(8)
    expect(broken).toEqual([])
  })

  test('that is the map of the house leads to what is there', async () => {
    const map = /## The map of the house\n([\s\S]*?)\n## /.exec(read('CONTRIBUTING.md'))?.[1] ?? ''
    const places = [...map.matchAll(/`([^`\s]+(?:\/|\.tsx?))`/g)].map(([, place = '']) => place)
    const files = await Array.fromAsync(
      glob('{functions,agent-vm,deploy-runner,local,test}/**', { cwd: ROOT, exclude: ['**/.wrangler/**'] }),
    )
    const isThere = (place: string) =>
      files.some((file) => matchesGlob(file, place.replace(/\/$/, '')) || matchesGlob(file, `**/${place}`))
    expect(places.length).toBeGreaterThan(15)
    expect(places.filter((place) => !isThere(place))).toEqual([])
  })

  test('names only commands that there are', () => {
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:-]+)/g)].flatMap(([, script = '']) =>
        script in manifest.scripts ? [] : [`${page}: ${script}`],
      ),
    )
    expect(unknown).toEqual([])
  })
})
