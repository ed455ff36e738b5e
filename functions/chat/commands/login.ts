/**
 * /login: a model key of one's own. The message with the key is deleted first, whatever comes of it; the key is tried, sealed,
 * and from then on used inside the Worker only.
 */
import { saveUserSettings } from '../../database/users.ts'
import { createProviderAccount } from '../agents/provider-account.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

const KEY = /^[\x21-\x7e]{16,256}$/

export function registerLogin(router: Router): void {
  onCommand(router, 'login', async (ctx, key) => {
    if (!key) return explainLogin(ctx)
    const { ports, user, words, out } = ctx
    if (ctx.message) out.delete({ messageId: ctx.message.message_id })
    if (!KEY.test(key)) return out.send(words.login.malformed)
    const { kind } = await (ports.provider ?? createProviderAccount(ports.config)).check(key)
    if (kind === 'refused') return out.send(words.login.refused)
    if (kind === 'unreachable') return out.send(words.login.unreachable)
    const apiKeySealed = await ports.seal.seal(key, { what: 'user-key', id: String(user.id) })
    await saveUserSettings(ports.database, user.id, { apiKeySealed })
    out.send(words.login.saved)
  })
}

export function explainLogin({ words, out }: BaalContext): void {
  out.send(words.login.how())
}
