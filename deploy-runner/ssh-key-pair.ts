import ssh2 from 'ssh2'

export interface SshKeyPair {
  /** OpenSSH format, unencrypted. */
  readonly private: string
  /** `ssh-ed25519 <base64> [comment]` */
  readonly public: string
}

/**
 * A new ed25519 pair that is known to be readable.
 *
 * ssh2 1.17 strips leading zero bytes from the key, so that about one pair in 200 is malformed
 * (https://github.com/mscdex/ssh2/issues/1513); such a pair is thrown away.
 */
export function generateSshKeyPair(comment = '', generate = generateWithSsh2): SshKeyPair {
  for (;;) {
    const pair = generate(comment)
    if (isReadable(pair.private) && isReadable(pair.public)) return pair
  }
}

/** `ssh-ed25519 AAAA…`, without comment. @throws for what is no private key */
export function publicHalfOf(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw parsed
  const [key] = [parsed].flat()
  if (!key?.isPrivateKey()) throw new TypeError('no private key')
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}

function generateWithSsh2(comment: string): SshKeyPair {
  return ssh2.utils.generateKeyPairSync('ed25519', { comment })
}

function isReadable(key: string): boolean {
  return !(ssh2.utils.parseKey(key) instanceof Error)
}
