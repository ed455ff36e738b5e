/**
 * Builds and signs messages with Aleph's own SDK, imported only when a machine is made or given back: it is the largest part
 * of the bundle, and webhooks must not pay for its start. (Its `evm` part imports `decimal.js` without naming it: we do.)
 */
import { z } from 'zod'

const CHANNEL = 'BAAL'
/** The SDK's errors quote whole requests: one line of them is enough to know what broke. */
const MAX_REASON_CHARS = 200

export const Envelope = z.object({
  chain: z.literal('ETH'),
  sender: z.string(),
  type: z.enum(['INSTANCE', 'FORGET', 'AGGREGATE']),
  channel: z.string(),
  time: z.number(),
  item_type: z.literal('inline'),
  item_hash: z.string().regex(/^[0-9a-f]{64}$/),
  item_content: z.string(),
  signature: z.string(),
})
export type Envelope = z.infer<typeof Envelope>

const SDK_TYPES = { INSTANCE: 'instance', FORGET: 'forget', AGGREGATE: 'aggregate' } as const

export class SigningFailed extends Error {
  readonly code = 'signing_failed'
}

export async function accountAddress(privateKey: string): Promise<string> {
  return (await importAccount(privateKey)).address
}

/**
 * @param content goes out as it is, stringified once; its hash is the item hash
 * @throws {SigningFailed} with the first line of what the SDK said
 */
export async function signMessage(
  privateKey: string,
  type: Envelope['type'],
  content: { readonly address: string; readonly time: number },
): Promise<Envelope> {
  const account = await importAccount(privateKey)
  try {
    const sdk = await import('@aleph-sdk/message')
    const built = sdk.buildMessage(
      {
        account,
        channel: CHANNEL,
        timestamp: content.time,
        storageEngine: sdk.ItemType.inline,
        content: content as never,
      },
      sdk.MessageType[SDK_TYPES[type]],
    )
    const hashed = await sdk.prepareAlephMessage({ message: built })
    const signature = await account.sign(hashed)
    return Envelope.parse(new sdk.SignedMessage({ ...hashed, signature } as never).getBroadcastable())
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '').slice(0, MAX_REASON_CHARS) : 'unknown'
    throw new SigningFailed(`the SDK made no ${type} message: ${reason}`, { cause })
  }
}

/** `personal_sign` of a text, for what is not a message. */
export async function signText(privateKey: string) {
  const account = await importAccount(privateKey)
  const sign = (text: string) =>
    account.sign({ time: 0, sender: account.address, getVerificationBuffer: () => Buffer.from(text, 'utf8') })
  return { address: account.address, sign }
}

async function importAccount(privateKey: string) {
  const { importAccountFromPrivateKey } = await import('@aleph-sdk/ethereum')
  return importAccountFromPrivateKey(privateKey.startsWith('0x') ? privateKey : `0x${privateKey}`)
}
