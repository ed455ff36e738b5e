import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ConfigError, parseConfig } from './config.ts'
import { generateSshKeyPair } from './ssh-key-pair.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const publicJwk = publicKey.export({ format: 'jwk' })
const sshKey = generateSshKeyPair().private
const environment = { SSH_PRIVATE_KEY: sshKey, WORKER_PUBLIC_KEY: JSON.stringify(publicJwk) }

describe('the configuration', () => {
  test('takes the SSH key as text or as base64 of it', () => {
    const given = { ...environment, SSH_PRIVATE_KEY: Buffer.from(sshKey).toString('base64') }
    expect(parseConfig(given).SSH_PRIVATE_KEY).toBe(parseConfig(environment).SSH_PRIVATE_KEY)
    const former = { ...environment, SSH_PRIVATE_KEY_FORMER: given.SSH_PRIVATE_KEY }
    expect(parseConfig(former).SSH_PRIVATE_KEY_FORMER).toBe(parseConfig(environment).SSH_PRIVATE_KEY)
  })

  test('takes one public key, or a set while keys are rotated', () => {
    const set = { ...environment, WORKER_PUBLIC_KEY: JSON.stringify({ keys: [publicJwk, publicJwk] }) }
    expect(parseConfig(set).WORKER_PUBLIC_KEY).toMatchObject({ keys: [publicJwk, publicJwk] })
  })

  test.each([
    ['nothing', {}],
    ['a private key, alone', { WORKER_PUBLIC_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })) }],
    ['a private key in a set', { WORKER_PUBLIC_KEY: JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }) }],
    ['no JSON', { WORKER_PUBLIC_KEY: 'planted' }],
    ['another kind of SSH key', { SSH_PRIVATE_KEY: 'planted' }],
    ['another kind of former SSH key', { SSH_PRIVATE_KEY_FORMER: 'planted' }],
    ['a port beyond all ports', { PORT: '70000' }],
  ])('is refused with %s, naming the variable and no value', (name, changes) => {
    const given = name === 'nothing' ? {} : { ...environment, ...changes }
    const parse = () => parseConfig(given)
    expect(parse).toThrow(ConfigError)
    expect(parse).toThrow(/^(SSH_PRIVATE_KEY(_FORMER)?|WORKER_PUBLIC_KEY|PORT): /)
    expect(parse).not.toThrow(/planted|70000/)
  })
})
