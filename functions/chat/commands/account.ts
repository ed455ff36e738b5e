/** /account: what a person may use, what is left of it, and their settings. */
import { listAgents } from '../../database/agents.ts'
import { messagesToday, millisecondsLeftToday } from '../../database/limits.ts'
import { createProviderAccount } from '../agents/provider-account.ts'
import { wordsFor } from '../catalogue/catalogue.ts'
import { renderSpan } from '../catalogue/duration.ts'
import { bold, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerAccount(router: Router): void {
  onCommand(router, 'account', showAccount)
  // What people try in a bot they do not know.
  onCommand(router, 'settings', showAccount)
}

export async function showAccount(ctx: BaalContext): Promise<void> {
  const { ports, user, words, out, language } = ctx
  const { account, buttons } = words
  const own = await listAgents(ports.database, user.id)
  const lines: Phrase[] = [bold(account.title), '']
  lines.push(...(user.apiKeySealed === null ? await describeFreeTier(ctx) : await describeKey(ctx, user.apiKeySealed)))
  lines.push(account.agents({ agents: own.length, max: ports.config.MAX_AGENTS_PER_USER }))
  lines.push(
    account.settings({
      language: wordsFor(language).language.name,
      timezone: user.timezone ?? account.noTimezone,
    }),
  )
  const key =
    user.apiKeySealed === null ? commandButton(buttons.useOwnKey, 'login') : commandButton(buttons.logout, 'logout')
  out.show(join(lines, '\n'), [
    [commandButton(buttons.usage, 'usage'), key],
    [commandButton(buttons.language, 'language'), commandButton(buttons.timezone, 'timezone')],
    [commandButton(buttons.rich, 'rich')],
  ])
}

async function describeFreeTier({ ports, user, words }: BaalContext): Promise<Phrase[]> {
  const now = ports.now()
  const used = await messagesToday(ports.database, { userId: user.id, scope: 'user', now })
  const left = renderSpan(millisecondsLeftToday(now), words)
  return [words.account.freeTier({ used, max: ports.config.FREE_TIER_DAILY_MESSAGES, left })]
}

async function describeKey({ ports, user, words, language }: BaalContext, sealed: string): Promise<Phrase[]> {
  const key = await ports.seal.open(sealed, { what: 'user-key', id: String(user.id) })
  const checked = await (ports.provider ?? createProviderAccount(ports.config)).check(key)
  if (checked.kind === 'refused') return [words.account.ownKey, words.account.keyRefused]
  if (checked.kind === 'unreachable' || checked.balance === undefined) return [words.account.ownKey]
  const balance = new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(checked.balance)
  return [words.account.ownKey, words.account.balance({ balance })]
}
