/**
 * `POST /admin/machines/:id/rekey`: the machine is to be opened by `ALEPH_SSH_PUBKEY`, the key of new machines, alone. The
 * runner does it, and refuses while it does not use that key itself; asked again, it goes on from what it finds.
 */
import { Hono } from 'hono'
import { requireAdmin } from '../admin-guard.ts'
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { openDatabase } from '../database/database.ts'
import { findMachine } from '../database/machines.ts'
import { refreshAddress } from './place-instance.ts'
import { ProvisionFailure } from './provision-failure.ts'
import { callRunner } from './runner-client.ts'
import { targetOf } from './ssh-target.ts'

export const rekeyMachine = new Hono<{ Bindings: Bindings }>().post(
  '/admin/machines/:id/rekey',
  requireAdmin,
  async (c) => {
    const config = parseConfig(c.env)
    const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
    const machine = await findMachine(database, c.req.param('id'))
    if (!machine || machine.state === 'gone') return c.json({ error: 'not_found' }, 404)
    // Without a pinned host key nobody has been there yet: whoever makes it will be, with either key.
    if (!machine.sshHost || !machine.hostKey) return c.json({ error: 'not_ready', message: 'It is being made.' }, 409)
    const publicKey = config.ALEPH_SSH_PUBKEY
    try {
      const target = targetOf(await refreshAddress({ config, database, now: Date.now }, machine))
      const { changed } = await callRunner({ config, env: c.env }, 'rekey', { target, public_key: publicKey })
      return c.json({ public_key: publicKey, changed: changed.length > 0 })
    } catch (error) {
      if (!(error instanceof ProvisionFailure)) throw error
      return c.json({ error: error.code, message: error.message, public_key: publicKey }, 502)
    }
  },
)
