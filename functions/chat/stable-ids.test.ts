import { expect, test } from 'vitest'
import { stableIds } from './stable-ids.ts'

test('the same cause gives the same ids, every other cause others', () => {
  const ids = stableIds('key', '7:42', 'u1')
  expect(ids('agent')).toBe(stableIds('key', '7:42', 'u1')('agent'))
  const others = [
    ids('deployment'),
    stableIds('key', '7:42', 'u2')('agent'),
    stableIds('key', '7:43', 'u1')('agent'),
    stableIds('other', '7:42', 'u1')('agent'),
  ]
  expect(new Set([ids('agent'), ...others]).size).toBe(5)
  expect(ids('agent')).toMatch(/^[a-z0-9]{16}$/)
})
