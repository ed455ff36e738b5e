import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isContentLegal } from '../../../local/aleph/content-rules.ts'
import { type Aleph, startAleph } from '../../../local/aleph/start-aleph.ts'
import { hasRightHash, isSignedBySender } from '../../../local/aleph/verify-envelope.ts'
import { fetchMessageStatus, postMessage } from './core-nodes.ts'
import { CREDITS_PER_MACHINE_DAY, describeMissing, fetchCredits, fetchDailyPrice, missingCredits } from './credits.ts'
import { buildForgetContent } from './forget-content.ts'
import { fetchPublicUrl, ingressOf, subdomainOf } from './gateway.ts'
import { fetchDebianImage } from './images.ts'
import { buildInstanceContent, DEBIAN_12_IMAGE, InstanceContent } from './instance-content.ts'
import { fetchOwnInstances } from './own-instances.ts'
import { fetchPlacement, sshEndpoint } from './placement.ts'
import { buildPortForwarding } from './port-forwarding.ts'
import { accountAddress, signMessage, signText } from './sign-message.ts'

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

  test('is signed as a reference signature of this account was', async () => {
    const { sign } = await signText(KEY)
    expect(await sign(`ETH\n${ADDRESS}\nINSTANCE\n${KNOWN_HASH}`)).toBe(
      '0x57ae3bb4f400105aff28e6efc3f11dd360eb1b7f9c1367483d7715b9b6971767605061318ba8df17265a509f054d402b85b24358b4318dbfadbc0858a7a3c99d1b',
    )
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

/** Every way in which a content can break a rule of the network: one field at a time. */
const BREACHES: readonly (readonly [string, (content: Record<string, unknown>) => Record<string, unknown>])[] = [
  ['an unknown key', (content) => ({ ...content, extra: 1 })],
  ['no address', ({ address: _, ...content }) => content],
  ['a short address', (content) => ({ ...content, address: '0x12' })],
  ['a negative time', (content) => ({ ...content, time: -1 })],
  ['no allow_amend', ({ allow_amend: _, ...content }) => content],
  ['keys that are no list', (content) => ({ ...content, authorized_keys: 'ssh-ed25519 AAAA' })],
  ['a key that is too long', (content) => ({ ...content, authorized_keys: [`ssh-ed25519 ${'A'.repeat(8_192)}`] })],
  ['no environment', ({ environment: _, ...content }) => content],
  ['another hypervisor', (content) => ({ ...content, environment: { hypervisor: 'xen' } })],
  ['no processor', (content) => ({ ...content, resources: { vcpus: 0, memory: 2048, seconds: 30 } })],
  ['no memory', (content) => ({ ...content, resources: { vcpus: 1, memory: 0, seconds: 30 } })],
  ['too many processors', (content) => ({ ...content, resources: { vcpus: 257, memory: 2048, seconds: 30 } })],
  ['another way to pay', (content) => ({ ...content, payment: { chain: 'ETH', type: 'barter' } })],
  ['requirements without a node', (content) => ({ ...content, requirements: {} })],
  [
    'an unknown requirement',
    (content) => ({ ...content, requirements: { node: { node_hash: KNOWN_HASH }, cheap: 1 } }),
  ],
  [
    'a node in capitals',
    (content) => ({ ...content, requirements: { node: { node_hash: KNOWN_HASH.toUpperCase() } } }),
  ],
  ['no disk', ({ rootfs: _, ...content }) => content],
  ['an image in capitals', (content) => ({ ...content, rootfs: rootfs({ ref: DEBIAN_12_IMAGE.toUpperCase() }) })],
  ['a disk size as text', (content) => ({ ...content, rootfs: { ...rootfs({}), size_mib: '20480' } })],
  ['a disk without size', (content) => ({ ...content, rootfs: { ...rootfs({}), size_mib: 0 } })],
  ['a disk too large', (content) => ({ ...content, rootfs: { ...rootfs({}), size_mib: 1_953_126 } })],
]
const rootfs = (parent: object) => ({
  parent: { ref: DEBIAN_12_IMAGE, use_latest: true, ...parent },
  persistence: 'host',
  size_mib: 20_480,
})

describe('the rules of the network, by our own schema and by the stand-in’s', () => {
  const legal = (body: unknown, type = 'INSTANCE') => isContentLegal({ type, item_content: JSON.stringify(body) })

  test('take what we build, pinned to a node or not', () => {
    const pinned = buildInstanceContent({
      ...{ address: ADDRESS, name: 'baal-x', sshPublicKey: 'ssh-ed25519 AAAA', image: DEBIAN_12_IMAGE, nowMs: 1 },
      node: KNOWN_HASH,
    })
    expect(pinned.requirements).toEqual({ node: { node_hash: KNOWN_HASH } })
    expect([legal(content()), legal(pinned)]).toEqual([true, true])
    expect('requirements' in content()).toBe(false)
    expect(legal(buildForgetContent({ address: ADDRESS, itemHash: KNOWN_HASH, nowMs: 1 }), 'FORGET')).toBe(true)
    const ports = buildPortForwarding({ address: ADDRESS, itemHash: KNOWN_HASH, wanted: 'forwarded', nowMs: 1 })
    expect(legal(ports, 'AGGREGATE')).toBe(true)
  })

  test.each(BREACHES)('refuse %s', (_, breach) => {
    const broken = breach({ ...content() })
    expect([InstanceContent.safeParse(broken).success, legal(broken)]).toEqual([false, false])
  })

  // The network overlooks these, so that a slip of ours would go unnoticed.
  test.each(['payment', 'rootfs', 'environment', 'resources'] as const)('ours refuses an unknown key in %s', (part) => {
    const slip = { ...content(), [part]: { ...content()[part], slip: true } }
    expect([InstanceContent.safeParse(slip).success, legal(slip)]).toEqual([false, true])
  })

  test('carry no secret: everything in a message is known beforehand to be public', () => {
    const { authorized_keys, metadata, ...rest } = content('baal-public')
    expect(JSON.stringify({ authorized_keys, metadata })).not.toMatch(/secret|token|bk-/i)
    expect(Object.keys(rest).toSorted()).toEqual([
      ...['address', 'allow_amend', 'environment', 'payment', 'resources', 'rootfs', 'time', 'volumes'],
    ])
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

test('what a node says of other ports, or not yet, does not keep us from SSH; an odd SSH port is told', () => {
  const networking = { host_ipv4: '203.0.113.10', mapped_ports: { '22': { host: 24000 }, '80': { tcp: true } } }
  expect(sshEndpoint({ networking, of_next_year: 1 })).toEqual({ sshHost: '203.0.113.10', sshPort: 24000 })
  expect(sshEndpoint({ networking: { host_ipv4: null, mapped_ports: null } })).toBeUndefined()
  expect(sshEndpoint({ networking: null })).toBeUndefined()
  expect(() => sshEndpoint({ networking: { ...networking, mapped_ports: { '22': { host: 'many' } } } })).toThrow(/host/)
  expect(() => sshEndpoint({})).toThrow(/networking/)
})

test('a machine is ordered only when a day of all of them is paid', () => {
  expect(missingCredits(CREDITS_PER_MACHINE_DAY, 0)).toBe(0)
  expect(missingCredits(CREDITS_PER_MACHINE_DAY * 2 - 1, 1)).toBe(1)
  const account = { address: ADDRESS, balance: 500_000, runningMachines: 2, creditsPerDay: 342_000, missing: 526_000 }
  expect(describeMissing(account)).toBe(
    `526000 credits (0.53 USD) are missing on ${ADDRESS}: it has 500000, and a day of 3 machines costs 1026000. Top up, or free machines.`,
  )
})

describe('core nodes', () => {
  /** A host that answers everything the same way, and keeps what it was sent. */
  async function host(status: number, body: string) {
    const received: string[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        received.push(text)
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    return { url, received, [Symbol.asyncDispose]: async () => void server.close() }
  }
  const processed = JSON.stringify({ message_status: 'processed' })

  test('are tried in turn with the same bytes, and one that knows less does not decide', async () => {
    await using down = await host(502, 'Bad Gateway')
    await using odd = await host(422, 'InvalidMessageFormat')
    await using good = await host(200, processed)
    const envelope = await signMessage(KEY, 'INSTANCE', content())
    expect(await postMessage(['http://127.0.0.1:1', down.url, odd.url, good.url], envelope)).toBe('processed')
    expect(new Set([...down.received, ...odd.received, ...good.received]).size).toBe(1)
    expect(await postMessage([down.url, odd.url], envelope)).toBe('refused')
  })

  test('that all fail are named with what each of them said', async () => {
    await using down = await host(503, 'no')
    const envelope = await signMessage(KEY, 'INSTANCE', content())
    await expect(postMessage(['http://127.0.0.1:1', down.url], envelope)).rejects.toThrow(
      /127\.0\.0\.1:1: .*(ECONNREFUSED|bad port).*; .* answered 503/,
    )
  })

  test('that say nothing of use mean "pending", never "done"', async () => {
    await using odd = await host(200, 'OK')
    expect(await postMessage([odd.url], await signMessage(KEY, 'INSTANCE', content()))).toBe('pending')
  })

  test('tell image and price; where they do not, what was published counts', async () => {
    const newer = 'd'.repeat(64)
    await using listed = await host(
      200,
      JSON.stringify({ data: { 'vm-images': { rootfs: { debian12: { hash: newer } } } } }),
    )
    await using broken = await host(200, '{}')
    await using priced = await host(200, JSON.stringify({ required_tokens: 5 }))
    const envelope = await signMessage(KEY, 'INSTANCE', content())
    expect(await fetchDebianImage([listed.url])).toBe(newer)
    expect(await fetchDebianImage([broken.url])).toBe(DEBIAN_12_IMAGE)
    expect(await fetchDebianImage(['http://127.0.0.1:1'])).toBe(DEBIAN_12_IMAGE)
    expect(await fetchDailyPrice([priced.url], envelope)).toBe(5 * 86_400)
    expect(await fetchDailyPrice([broken.url], envelope)).toBe(CREDITS_PER_MACHINE_DAY)
  })

  test('that do not know a message, or say something else, do not decide while another one knows', async () => {
    await using ignorant = await host(404, '{"error":"not found"}')
    await using odd = await host(200, '<html>Sign in to the network</html>')
    await using shapeless = await host(200, '{"message":{}}')
    await using knowing = await host(200, '{"status":"processed","of_next_year":1}')
    const all = [ignorant.url, odd.url, shapeless.url, knowing.url]
    expect(await fetchMessageStatus(all, KNOWN_HASH)).toMatchObject({ status: 'processed' })
    expect(await fetchMessageStatus([odd.url, ignorant.url], KNOWN_HASH)).toBeUndefined()
    await expect(fetchMessageStatus([odd.url, shapeless.url], KNOWN_HASH)).rejects.toThrow(/status/)
  })

  test('that do not tell the balance are not taken for an empty account', async () => {
    await using silent = await host(200, '{"address":"0x0","balance":0,"of_next_year":1}')
    await using telling = await host(200, '{"credit_balance":5.5,"of_next_year":1}')
    await using ignorant = await host(404, '{}')
    expect(await fetchCredits([silent.url, telling.url], ADDRESS)).toBe(5.5)
    expect(await fetchCredits([ignorant.url], ADDRESS)).toBe(0)
    await expect(fetchCredits([silent.url], ADDRESS)).rejects.toThrow(/credit_balance/)
  })

  test('list instances of which one is odd, and others are found all the same, whatever the size of a page', async () => {
    const instance = (name: unknown) => ({ item_hash: 'a', time: 1, content: { metadata: { name } } })
    const named = (name: string) => ({ ...instance(name), item_hash: name })
    const pages = [[named('baal-1'), instance(7), { item_hash: 'b' }], [named('baal-2')], []]
    const outside = globalThis.fetch
    globalThis.fetch = (async (url: URL) => {
      const messages = pages[Number(url.searchParams.get('page')) - 1]
      return Response.json({ messages, pagination_per_page: 3 })
    }) as typeof fetch
    try {
      const found = await fetchOwnInstances(['http://core.example'], ADDRESS)
      expect(found.map(({ name }) => name).toSorted()).toEqual(['', 'baal-1', 'baal-2'])
    } finally {
      globalThis.fetch = outside
    }
  })

  test('are asked page by page for what an account has', async () => {
    const instance = (index: number) => ({
      item_hash: String(index),
      time: 1,
      content: { metadata: { name: 'baal-x' } },
    })
    const pages = [Array.from({ length: 200 }, (_, index) => instance(index)), [instance(200)]]
    const asked: string[] = []
    const outside = globalThis.fetch
    globalThis.fetch = (async (url: URL) => {
      asked.push(url.searchParams.get('page') ?? '')
      return Response.json({ messages: pages[asked.length - 1] })
    }) as typeof fetch
    try {
      expect(await fetchOwnInstances(['http://core.example'], ADDRESS)).toHaveLength(201)
    } finally {
      globalThis.fetch = outside
    }
    expect(asked).toEqual(['1', '2'])
  })
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
