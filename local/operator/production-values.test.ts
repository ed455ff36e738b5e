import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VARIABLE_NAMES } from '../../functions/config.ts'
import { ROOT } from '../settings.ts'
import { makeMissing, PRODUCTION_VALUES, secretsOf, variablesOf, WRANGLER_VARIABLES } from './production-values.ts'

const read = (file: string) => readFile(join(ROOT, file), 'utf8')

test('no name is both a variable of wrangler.toml and a secret: Cloudflare would refuse it', async () => {
  const section = /\[vars\]\n([\s\S]*?)\n\n/.exec(await read('wrangler.toml'))?.[1] ?? ''
  const inToml = section.split('\n').map((line) => line.split(' ')[0])
  expect(inToml.toSorted()).toEqual([...WRANGLER_VARIABLES].toSorted())
  const all = Object.fromEntries(PRODUCTION_VALUES.map(({ name }) => [name, 'x']))
  expect(Object.keys(secretsOf(all)).filter((name) => name in variablesOf(all))).toEqual([])
})

test('everything that the Worker reads can be given, and is explained in .dev.vars.example', async () => {
  const names = PRODUCTION_VALUES.map(({ name }) => name)
  const example = await read('.dev.vars.example')
  for (const name of VARIABLE_NAMES) {
    expect(names).toContain(name)
    expect(example).toMatch(new RegExp(`^${name}=`, 'm'))
  }
})

test('one half of an SSH pair is never made for another', () => {
  expect(makeMissing({ ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA' }).made).not.toContain('SSH_PRIVATE_KEY')
  expect(makeMissing({}).made).toEqual(expect.arrayContaining(['SSH_PRIVATE_KEY', 'ALEPH_SSH_PUBKEY']))
})
