import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { generateSshKeyPair } from './ssh-key-pair.ts'

test('a malformed pair is thrown away and another one made', () => {
  const good = generateSshKeyPair()
  const offered = [{ ...good, private: 'not a key' }, { ...good, public: 'ssh-ed25519 AAAA' }, good]
  expect(generateSshKeyPair('', () => offered.shift() ?? good)).toBe(good)
  expect(offered).toEqual([])
})

test('a thousand pairs are all readable and carry their comment', () => {
  for (let made = 0; made < 1000; made++) {
    const pair = generateSshKeyPair('baal')
    expect(ssh2.utils.parseKey(pair.private)).toMatchObject({ type: 'ssh-ed25519', comment: 'baal' })
    expect(ssh2.utils.parseKey(pair.public)).toMatchObject({ type: 'ssh-ed25519', comment: 'baal' })
  }
})
