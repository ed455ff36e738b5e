import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Aleph, startAleph } from '../../../local/aleph/start-aleph.ts'
import { hasRightHash, isSignedBySender } from '../../../local/aleph/verify-envelope.ts'
import { fetchMessageStatus, postMessage } from './core-nodes.ts'
import { CREDITS_PER_MACHINE_DAY, missingCredits } from './credits.ts'
import { fetchPublicUrl, ingressOf, subdomainOf } from './gateway.ts'
import { buildInstanceContent, DEBIAN_12_IMAGE } from './instance-content.ts'
import { fetchOwnInstances } from './own-instances.ts'
import { fetchPlacement, sshEndpoint } from './placement.ts'
import { accountAddress, signMessage } from './sign-message.ts'

const KEY = '0123456789abcdef'.repeat(4)
const ADDRESS = '0xFCAd0B19bB29D4674531d6f115237E16AfCE377c'
/** An instance of the main network, and its owner's signature. */
const KNOWN_HASH = 'a41fb91c3e68370759b72338dd1947f18e2ed883837aec5dc731d5f427f90564'
const KNOWN = {
  chain: 'ETH',
  type: 'INSTANCE',
  sender: '0x238224C744F4b90b4494516e074D2676ECfC6803',
  item_hash: KNOWN_HASH,
  signature:
    '0x4f7250efd67d989ac3067358ee657e301cd437fd0b4acb38342402e60125a0a209818f555386cd17b82080aba0a7a5cd83e4e1d8875c58b38f2e64cbe5dd308f1c',
} as const

const content = (name = 'baal-test') =>
  buildInstanceContent({
    address: ADDRESS,
    name,
    sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgOb9mA3O3S8Bn0ePo7dJ4bA5r5dM2m4m7Qm3o2nWcB baal',
    image: DEBIAN_12_IMAGE,
    nowMs: 1_795_340_458_188,
  })

describe('the independent verifier', () => {
  test('accepts a message of the main network', () => {
    expect(isSignedBySender(KNOWN)).toBe(true)
  })

  test('refuses another sender, another hash, and the same sender spelled otherwise', () => {
    expect(isSignedBySender({ ...KNOWN, sender: ADDRESS })).toBe(false)
    expect(isSignedBySender({ ...KNOWN, item_hash: KNOWN_HASH.replace('a', 'b') })).toBe(false)
    expect(isSignedBySender({ ...KNOWN, sender: KNOWN.sender.toLowerCase() })).toBe(false)
  })
})

describe('a message of ours', () => {
  test('has the hash of its bytes and the signature of its account', async () => {
    expect(await accountAddress(KEY)).toBe(ADDRESS)
    const envelope = await signMessage(KEY, 'INSTANCE', content('quotes " and 🦊'))
    expect(hasRightHash(envelope)).toBe(true)
    expect(isSignedBySender(envelope)).toBe(true)
    expect(JSON.parse(envelope.item_content)).toEqual(content('quotes " and 🦊'))
  })

  test('is checked before it is sent: nothing unknown, no wrong image', () => {
    expect(() =>
      buildInstanceContent({ ...content(), name: 'x', sshPublicKey: 'no key', image: DEBIAN_12_IMAGE, nowMs: 1 }),
    ).toThrow()
    const request = {
      address: ADDRESS,
      name: 'x',
      sshPublicKey: 'ssh-ed25519 AAAA',
      image: DEBIAN_12_IMAGE.toUpperCase(),
      nowMs: 1,
    }
    expect(() => buildInstanceContent(request)).toThrow()
  })
})

describe('the public name', () => {
  test.each([
    [KNOWN_HASH, 'piano-worry-either-lamp'],
    ['0'.repeat(64), 'abandon-abandon-abandon-abandon'],
    ['f'.repeat(64), 'zoo-zoo-zoo-zoo'],
  ])('of %s follows from the hash', async (hash, words) => {
    expect(await subdomainOf(hash)).toBe(words)
  })

  test('decides who listens', () => {
    expect(ingressOf('https://zoo-zoo-zoo-zoo.2n6.me')).toEqual({ kind: 'caddy', domain: 'zoo-zoo-zoo-zoo.2n6.me' })
    expect(ingressOf('http://127.0.0.1:24001')).toEqual({ kind: 'direct', host: '127.0.0.1', port: 24001 })
  })
})

test('a port that is not forwarded yet is waited for, and never taken for 22', () => {
  expect(sshEndpoint(undefined)).toBeUndefined()
  expect(sshEndpoint({ networking: {} })).toBeUndefined()
  expect(sshEndpoint({ networking: { host_ipv4: '203.0.113.10', mapped_ports: { '22': { host: 24000 } } } })).toEqual({
    sshHost: '203.0.113.10',
    sshPort: 24000,
  })
})

test('a machine is ordered only when a day of all of them is paid', () => {
  expect(missingCredits(CREDITS_PER_MACHINE_DAY, 0)).toBe(0)
  expect(missingCredits(CREDITS_PER_MACHINE_DAY * 2 - 1, 1)).toBe(1)
})

describe('an instance', () => {
  let aleph: Aleph
  beforeAll(async () => {
    aleph = await startAleph({ port: 0, machinePorts: 47_000 })
  })
  afterAll(() => aleph.close())

  test('is ordered, placed, named, listed, and forgotten', async () => {
    const envelope = await signMessage(KEY, 'INSTANCE', content())
    const hosts = ['http://127.0.0.1:1', aleph.url]
    expect(await postMessage(hosts, envelope)).toBe('processed')
    expect(await postMessage(hosts, envelope)).toBe('processed')
    expect(await fetchPlacement(aleph.url, envelope.item_hash)).toMatchObject({ kind: 'placed', sshHost: '127.0.0.1' })
    expect(await fetchPublicUrl(aleph.url, envelope.item_hash)).toMatch(/^http:\/\/127\.0\.0\.1:47\d{3}$/)
    expect(await fetchOwnInstances(hosts, ADDRESS)).toMatchObject([{ itemHash: envelope.item_hash, name: 'baal-test' }])
    const forget = { address: ADDRESS, time: 1_795_340_460, hashes: [envelope.item_hash], reason: 'test' }
    expect(await postMessage(hosts, await signMessage(KEY, 'FORGET', forget))).toBe('processed')
    expect((await fetchMessageStatus(hosts, envelope.item_hash))?.status).toBe('forgotten')
    expect(await fetchOwnInstances(hosts, ADDRESS)).toEqual([])
  })

  test('that cannot be paid is rejected with its code, and an altered one refused', async () => {
    aleph.network.credits = CREDITS_PER_MACHINE_DAY - 1
    const envelope = await signMessage(KEY, 'INSTANCE', content('baal-poor'))
    expect(await postMessage([aleph.url], envelope)).toBe('rejected')
    expect(await fetchMessageStatus([aleph.url], envelope.item_hash)).toMatchObject({
      status: 'rejected',
      error_code: 6,
    })
    expect(await postMessage([aleph.url], { ...envelope, item_content: `${envelope.item_content} ` })).toBe('refused')
    aleph.network.credits = CREDITS_PER_MACHINE_DAY * 100
  })
})
