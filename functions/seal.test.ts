import { decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { createSeal, SealBroken } from './seal.ts'

const KEY = Buffer.alloc(32, 1).toString('base64url')
const NEW_KEY = Buffer.alloc(32, 2).toString('base64url')
const CONTEXT = { what: 'agent-secret', id: 'agent-1' } as const

describe('a sealed value', () => {
  test('opens with the same key and the same record', async () => {
    const seal = createSeal(KEY)
    const sealed = await seal.seal('geheim ✓', CONTEXT)
    expect(sealed).not.toContain('geheim')
    expect(await seal.open(sealed, CONTEXT)).toBe('geheim ✓')
  })

  test('does not open in another row or as another kind of secret', async () => {
    const seal = createSeal(KEY)
    const sealed = await seal.seal('geheim', CONTEXT)
    await expect(seal.open(sealed, { what: 'agent-secret', id: 'agent-2' })).rejects.toThrow(SealBroken)
    await expect(seal.open(sealed, { what: 'inference-key', id: 'agent-1' })).rejects.toThrow(SealBroken)
  })

  test('does not open when its header names another record', async () => {
    const seal = createSeal(KEY)
    const [header = '', ...rest] = (await seal.seal('geheim', CONTEXT)).split('.')
    const forged = Buffer.from(Buffer.from(header, 'base64url').toString().replace('agent-1', 'agent-2')).toString(
      'base64url',
    )
    await expect(seal.open([forged, ...rest].join('.'), { what: 'agent-secret', id: 'agent-2' })).rejects.toThrow(
      SealBroken,
    )
  })

  test('does not open with another key, and the error shows neither', async () => {
    const sealed = await createSeal(KEY).seal('geheim', CONTEXT)
    const error = await createSeal(NEW_KEY)
      .open(sealed, CONTEXT)
      .catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(SealBroken)
    expect(String(error)).not.toMatch(/geheim|AgICAg|AQEBAQ/)
  })

  test('still opens after the key was rotated, and new values carry the new key id', async () => {
    const old = await createSeal(KEY).seal('geheim', CONTEXT)
    const rotated = createSeal(NEW_KEY, [KEY])
    expect(await rotated.open(old, CONTEXT)).toBe('geheim')
    const renewed = await rotated.seal('geheim', CONTEXT)
    expect(decodeProtectedHeader(renewed).kid).not.toBe(decodeProtectedHeader(old).kid)
  })

  test('is refused when it is no sealed value at all', async () => {
    await expect(createSeal(KEY).open('plain text', CONTEXT)).rejects.toThrow(SealBroken)
  })
})
