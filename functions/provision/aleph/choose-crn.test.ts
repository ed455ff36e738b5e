import { describe, expect, test } from 'vitest'
import { listedNode } from '../../../local/aleph/scheduler.ts'
import { chooseCrn } from './choose-crn.ts'
import { Crn } from './crn-list.ts'

const NEED = { memoryMib: 2_048, diskMib: 20_480 }
const KIB_PER_GIB = 1_048_576

/** A node that will do, but for what is changed. */
function node(name: string, changes: object = {}): Crn {
  const hash = Buffer.from(name).toString('hex').padEnd(64, '0')
  return Crn.parse({ ...listedNode(hash, name, `https://${name}.example/`), ...changes })
}

function choose(
  nodes: readonly Crn[],
  { blocked = new Set<string>(), random = (): number => 0 } = {},
): string | undefined {
  return chooseCrn(nodes, NEED, { blocked, random })?.name
}

describe('a node to pin an instance to', () => {
  const { system_usage: usage } = node('any')

  test.each([
    ['is not linked', { status: 'waiting' }],
    ['has been silent', { inactive_since: 1_795_340_458 }],
    ['cannot run our image', { qemu_support: false }],
    ['did not say whether it can', { qemu_support: null }],
    ['gives no IPv6 to its instances', { ipv6_check: { host: true, vm: false } }],
    ['was not checked for IPv6', { ipv6_check: null }],
    ['wants terms accepted', { terms_and_conditions: 'f'.repeat(64) }],
    ['cannot forward ports yet', { version: '1.5.9' }],
    ['tells no version', { version: null }],
    ['tells nothing of its load', { system_usage: null }],
    ['is out of service', { system_usage: { ...usage, active: false } }],
    ['has no memory to spare', { system_usage: { ...usage, mem: { total_kB: 9, available_kB: 2 * KIB_PER_GIB } } }],
    ['has no disk to spare', { system_usage: { ...usage, disk: { available_kB: 19 * KIB_PER_GIB } } }],
  ])('is none that %s', (_, changes) => {
    expect(choose([node('bad', changes)])).toBeUndefined()
  })

  test('is the one with the best score, less its load', () => {
    const busy = { ...usage, cpu: { count: 8, load_average: { load5: 16 } } }
    expect(choose([node('good', { score: 0.8 }), node('better'), node('worse', { score: 0.5 })])).toBe('better')
    expect(choose([node('best but busy', { score: 1, system_usage: busy }), node('idle')])).toBe('idle')
  })

  test('is not always the same among equals, but never one that is clearly worse', () => {
    const nodes = [node('one'), node('two'), node('three', { score: 0.5 })]
    const dice = [0, 1, 1]
    expect(choose(nodes, { random: () => dice.shift() ?? 0 })).toBe('two')
    for (let draw = 0; draw < 100; draw++) expect(choose(nodes, { random: Math.random })).not.toBe('three')
  })

  test('is none that failed a moment ago', () => {
    const nodes = [node('best'), node('next', { score: 0.7 })]
    expect(choose(nodes, { blocked: new Set([nodes[0]?.hash ?? '']) })).toBe('next')
  })
})
