import { expect, test } from 'vitest'
import { verifyOperation } from '../../../local/aleph/verify-operation.ts'
import { controlHeaders } from './crn-control.ts'

const KEY = '0123456789abcdef'.repeat(4)
const ADDRESS = '0xFCAd0B19bB29D4674531d6f115237E16AfCE377c'
const NOW = 1_795_340_458_188
const PATH = `/control/machine/${'a'.repeat(64)}/erase`

async function order() {
  const url = new URL(PATH, 'https://crn.example:8080/')
  const headers = await controlHeaders(KEY, { method: 'POST', url, nowMs: NOW })
  return {
    pubKey: headers['X-SignedPubKey'],
    operation: headers['X-SignedOperation'],
    ...{ method: 'POST', path: PATH, domain: 'crn.example', now: NOW },
  }
}

test('an order to a node is signed by a passing key that our account vouches for', async () => {
  expect(verifyOperation(await order())).toEqual({ address: ADDRESS })
})

test.each([
  ['another machine', { path: PATH.replace('a', 'b') }, 'Invalid path'],
  ['another method', { method: 'GET' }, 'Invalid method'],
  ['another node', { domain: 'other.example' }, 'Invalid domain'],
  ['a later time', { now: NOW + 3 * 60_000 }, 'Token expired'],
  ['much later', { now: NOW + 60 * 60_000 }, 'Token expired'],
])('and is good for nothing else: %s', async (_, changes, refused) => {
  expect(verifyOperation({ ...(await order()), ...changes })).toEqual({ refused })
})

test('and not with the operation of another key, or an altered one', async () => {
  const [one, other] = [await order(), await order()]
  expect(verifyOperation({ ...one, operation: other.operation })).toEqual({ refused: 'Invalid signature' })
  const altered = one.pubKey?.replace('"signature":"0x', '"signature":"0x00').replace(/00(")/, '$1')
  expect(verifyOperation({ ...one, pubKey: altered })).toHaveProperty('refused')
})
