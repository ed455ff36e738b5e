/**
 * Builds and signs messages with Aleph's own SDK, imported only when a machine is made or given back: it is the largest part
 * of the bundle, and webhooks must not pay for its start.
 */
import { z } from 'zod'

const CHANNEL = 'BAAL'

export const Envelope = z.object({
  chain: z.literal('ETH'),
  sender: z.string(),
  type: z.enum(['INSTANCE', 'FORGET']),
  channel: z.string(),
  time: z.number(),
  item_type: z.literal('inline'),
  item_hash: z.string().regex(/^[0-9a-f]{64}$/),
  item_content: z.string(),
  signature: z.string(),
})
export type Envelope = z.infer<typeof Envelope>

export async function accountAddress(privateKey: string): Promise<string> {
  return (await importAccount(privateKey)).address
}

/** @param content goes out as it is, stringified once; its hash is the item hash */
export async function signMessage(
  privateKey: string,
  type: Envelope['type'],
  content: { readonly address: string; readonly time: number },
): Promise<Envelope> {
  const sdk = await import('@aleph-sdk/message')
  const account = await importAccount(privateKey)
  const built = sdk.buildMessage(
    {
      account,
      channel: CHANNEL,
      timestamp: content.time,
      storageEngine: sdk.ItemType.inline,
      content: content as never,
    },
    sdk.MessageType[type === 'INSTANCE' ? 'instance' : 'forget'],
  )
  const hashed = await sdk.prepareAlephMessage({ message: built })
  const signature = await account.sign(hashed)
  return Envelope.parse(new sdk.SignedMessage({ ...hashed, signature } as never).getBroadcastable())
}

async function importAccount(privateKey: string) {
  const { importAccountFromPrivateKey } = await import('@aleph-sdk/ethereum')
  return importAccountFromPrivateKey(privateKey.startsWith('0x') ? privateKey : `0x${privateKey}`)
}
