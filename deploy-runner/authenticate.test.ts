/** Tokens of every kind that is none. */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Fuzzer } from '../test/fuzz/fuzzer.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'

const NOW_S = 1_800_000_000
const BODY = new TextEncoder().encode('{"target":{}}')
const CLAIMS = {
  iss: 'baal-worker',
  aud: 'deploy-runner',
  iat: NOW_S,
  exp: NOW_S + 60,
  jti: 'once-and-only-once',
  body: createHash('sha256').update(BODY).digest('base64url'),
}

let authenticate: Authenticate
let key: KeyObject
let publicKey: KeyObject
beforeAll(async () => {
  ;({ privateKey: key, publicKey } = generateKeyPairSync('ed25519'))
  authenticate = await createAuthenticate(publicKey.export({ format: 'jwk' }), {
    now: () => NOW_S * 1000,
    startedAt: 0,
  })
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? 'null').toString('base64url')

function tokenOf(claims: unknown, header: unknown = { alg: 'EdDSA' }): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

const isTaken = (token: string, body = BODY) => authenticate(`Bearer ${token}`, body)

describe('a token', () => {
  test('that is as it should be is taken once', async () => {
    const token = tokenOf(CLAIMS)
    expect([await isTaken(token), await isTaken(token)]).toEqual([true, false])
  })

  test.each<[string, object]>([
    ['that says it needs no signature', { alg: 'none' }],
    ['that says it is signed with a shared secret', { alg: 'HS256' }],
    [
      'that brings its own key',
      { alg: 'EdDSA', jwk: generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) },
    ],
    ['with critical parts nobody knows', { alg: 'EdDSA', crit: ['x'], x: 1 }],
  ])('%s is refused', async (_name, header) => {
    const claims = { ...CLAIMS, jti: JSON.stringify(header) }
    const good = tokenOf(claims, header)
    const [head, payload] = good.split('.')
    const shared = createHmac('sha256', publicKey.export({ format: 'pem', type: 'spki' }))
      .update(`${head}.${payload}`)
      .digest('base64url')
    const foreign = sign(null, Buffer.from(`${head}.${payload}`), generateKeyPairSync('ed25519').privateKey)
    for (const signature of ['', shared, foreign.toString('base64url')])
      expect(await isTaken(`${head}.${payload}.${signature}`)).toBe(false)
    if ('crit' in header) expect(await isTaken(good)).toBe(false)
  })

  test('signed by the right hand is still refused when any claim is something else', async () => {
    const fuzzer = new Fuzzer(31)
    for (let round = 0; round < 1_000; round++) {
      const claims = fuzzer.mangleJson({ ...CLAIMS, jti: `round-${round}-of-many` })
      const isSame = JSON.stringify(claims) === JSON.stringify({ ...CLAIMS, jti: `round-${round}-of-many` })
      if (!isSame && (await isTaken(tokenOf(claims)))) {
        // Taken all the same: then what differs is only the id, and it is one, or the time of issue is not told.
        expect({ iat: CLAIMS.iat, ...(claims as object) }).toEqual({ ...CLAIMS, jti: expect.stringMatching(/./s) })
      }
    }
  })

  test('with any part changed is refused, whatever it holds', async () => {
    const fuzzer = new Fuzzer(32)
    const token = tokenOf({ ...CLAIMS, jti: 'never-taken' })
    for (let round = 0; round < 1_000; round++) {
      const mangled = Buffer.from(fuzzer.mangleBytes(Buffer.from(token))).toString('latin1')
      if (mangled !== token) expect(await isTaken(mangled), `round ${round}: ${mangled}`).toBe(false)
    }
    for (const odd of ['', '.', '..', 'a.b', 'a.b.c.d', `${'a'.repeat(100_000)}.b.c`, token.replace('.', '..')])
      expect(await isTaken(odd)).toBe(false)
  })

  test('need not say when it was issued, as long as it ends within a minute', async () => {
    const lasting = (seconds: number) =>
      isTaken(tokenOf({ ...CLAIMS, iat: undefined, exp: NOW_S + seconds, jti: `lasts ${seconds} s` }))
    expect([await lasting(20), await lasting(60), await lasting(90), await lasting(-10)]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  test('is for its body alone', async () => {
    for (const body of [new Uint8Array(), new TextEncoder().encode('{"target":{} }')])
      expect(await isTaken(tokenOf({ ...CLAIMS, jti: `another-${body.length}` }), body)).toBe(false)
  })
})

describe('a process that has just started', () => {
  let nowS: number
  let restarted: Authenticate
  beforeEach(async () => {
    nowS = NOW_S
    restarted = await createAuthenticate(publicKey.export({ format: 'jwk' }), { now: () => nowS * 1000 })
  })
  const take = (claims: object) => restarted(`Bearer ${tokenOf({ ...CLAIMS, ...claims })}`, BODY)
  const look = (claims: object) => restarted.look(`Bearer ${tokenOf({ ...CLAIMS, ...claims })}`)

  test('takes no token that was issued before it started, however long one tries', async () => {
    for (const ageS of [50, 1]) {
      const claims = { iat: NOW_S - ageS, exp: NOW_S - ageS + 60, jti: `issued ${ageS} s ago` }
      for (nowS = NOW_S; nowS < NOW_S + 70; nowS++) expect([ageS, await take(claims)]).toEqual([ageS, false])
      nowS = NOW_S
      expect(await look(claims)).toBe('unclear')
    }
  })

  test('takes at once, and once, what was signed for it', async () => {
    const claims = { run: restarted.run, jti: 'signed for this run' }
    expect([await look(claims), await take(claims), await take(claims)]).toEqual(['good', true, false])
    expect(await take({ run: authenticate.run, jti: 'signed for another run' })).toBe(false)
  })

  test('takes what was issued since, from the first second on', async () => {
    expect(await take({ jti: 'issued at once' })).toBe(true)
    expect(await take({ iat: undefined, jti: 'of no known age' })).toBe(true)
  })

  test('tells nobody else that it has', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey
    const [head, payload] = tokenOf(CLAIMS).split('.')
    const signature = sign(null, Buffer.from(`${head}.${payload}`), stranger).toString('base64url')
    expect(await restarted.look(`Bearer ${head}.${payload}.${signature}`)).toBe('bad')
  })
})
