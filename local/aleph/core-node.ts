/** A core node: messages in, their fate out, balances, prices and aggregates. */
import type { Context, Hono } from 'hono'
import { DEBIAN_12_IMAGE } from '../../functions/provision/aleph/instance-content.ts'
import { isContentLegal } from './content-rules.ts'
import type { Entry } from './ledger.ts'
import { CREDITS_PER_SECOND, type Network } from './network.ts'
import { Envelope, hasRightHash } from './verify-envelope.ts'

const SETTINGS_ADDRESS = '0xfba561a84a537fcaa567bb7a2257e7142701ae2a'
const PAGE_SIZE = 20

export function coreNode(app: Hono, network: Network): void {
  app.post('/api/v0/messages', async (c) => {
    const body = await c.req.json().catch(() => undefined)
    const envelope = Envelope.safeParse(body?.message)
    // No detail, as the real one: the caller has to check before it sends.
    if (!envelope.success || !hasRightHash(envelope.data) || !isContentLegal(envelope.data))
      return c.text('InvalidMessageFormat', 422)
    const entry = await network.accept(envelope.data)
    if (network.faults.lostAnswers > 0) {
      network.faults.lostAnswers--
      return c.text('Gateway Timeout', 504)
    }
    const answer = { publication_status: { status: 'success', failed: [] }, message_status: entry.status }
    return c.json(answer, entry.status === 'rejected' ? 422 : entry.status === 'pending' ? 202 : 200)
  })
  app.get('/api/v0/messages.json', (c) => c.json(listMessages(network, c)))
  app.get('/api/v0/messages/:hash', (c) => withEntry(c, network, (entry) => c.json(describe(entry))))
  app.get('/api/v0/messages/:hash/status', (c) =>
    withEntry(c, network, ({ status, envelope }) => c.json({ status, item_hash: envelope.item_hash })),
  )
  app.get('/api/v0/addresses/:address/balance', (c) =>
    c.json({
      address: c.req.param('address'),
      balance: 0,
      details: null,
      locked_amount: 0,
      credit_balance: network.credits,
    }),
  )
  app.post('/api/v0/price/estimate', async (c) => {
    const body = await c.req.json().catch(() => undefined)
    if (!Envelope.safeParse(body?.message).success) return c.json({ error: 'invalid' }, 422)
    const cost = { required_tokens: CREDITS_PER_SECOND, payment_type: 'credit', cost: String(CREDITS_PER_SECOND) }
    return c.json({ ...cost, detail: [], charged_address: body.message.sender })
  })
  app.get('/api/v0/aggregates/:file', (c) => {
    const address = c.req.param('file').replace(/\.json$/, '')
    const key = c.req.query('keys') ?? ''
    const images = { rootfs: { debian12: { hash: DEBIAN_12_IMAGE } }, defaults: { rootfs: 'debian12' } }
    const isImages = address.toLowerCase() === SETTINGS_ADDRESS && key === 'vm-images'
    const found = isImages ? images : network.aggregate(address, key)
    return found ? c.json({ address, data: { [key]: found } }) : c.json({ error: 'not found' }, 404)
  })
}

/** Processed ones alone, newest first, a page at a time. */
function listMessages(network: Network, c: Context) {
  const addresses = (c.req.query('addresses') ?? '').toLowerCase().split(',')
  const size = Number(c.req.query('pagination') ?? PAGE_SIZE)
  const page = Number(c.req.query('page') ?? 1)
  const all = network
    .instances()
    .filter(({ envelope, status }) => status === 'processed' && addresses.includes(envelope.sender.toLowerCase()))
    .toReversed()
  const messages = all
    .slice((page - 1) * size, page * size)
    .map(({ envelope }) => ({ ...envelope, content: JSON.parse(envelope.item_content) }))
  return { messages, pagination_page: page, pagination_total: all.length, pagination_per_page: size }
}

function withEntry(c: Context, network: Network, answer: (entry: Entry) => Response): Response {
  const entry = network.look(c.req.param('hash') ?? '')
  return entry ? answer(entry) : c.json({ error: 'not found' }, 404)
}

function describe({ status, envelope, errorCode, details, forgottenBy }: Entry) {
  return {
    status,
    item_hash: envelope.item_hash,
    ...(status === 'rejected' ? { error_code: errorCode, details } : {}),
    ...(status === 'removed' ? { reason: 'credit_insufficient' } : {}),
    ...(status === 'forgotten' ? { forgotten_by: [forgottenBy] } : {}),
    message: envelope,
  }
}
