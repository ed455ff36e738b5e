/** /usage: what a person's agents used in the last seven days. */
import { listAgents } from '../../database/agents.ts'
import { DAY_MS, dayOf } from '../../database/limits.ts'
import { sumUsage } from '../../database/usage-report.ts'
import { shareOfDay } from '../agents/share-of-day.ts'
import { bold, join, type Phrase } from '../catalogue/format.ts'
import type { Router } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

const SHOWN_DAYS = 7

export function registerUsage(router: Router): void {
  onCommand(router, 'usage', async ({ ports, user, words, language, out }) => {
    const own = await listAgents(ports.database, user.id)
    const since = dayOf(ports.now() - (SHOWN_DAYS - 1) * DAY_MS)
    const sums = await sumUsage(
      ports.database,
      own.map(({ id }) => id),
      since,
    )
    const lines: Phrase[] = []
    for (const { id, name } of own) {
      const sum = sums.get(id)
      if (!sum || sum.requests === 0) continue
      const tokens = new Intl.NumberFormat(language).format(sum.promptTokens + sum.completionTokens)
      lines.push(words.usage.agent({ agent: name, requests: sum.requests, tokens }))
    }
    const now = ports.now()
    const today = await sumUsage(
      ports.database,
      own.map(({ id }) => id),
      dayOf(now),
    )
    for (const { id, name } of own) {
      const sum = today.get(id)
      if (!sum || sum.requests === 0) continue
      const tokens = new Intl.NumberFormat(language).format(sum.promptTokens + sum.completionTokens)
      lines.push(words.usage.today({ agent: name, tokens, share: await shareOfDay(id, { ...ports, now }) }))
    }
    const body = lines.length > 0 ? [...lines, '', words.usage.tokens] : [words.usage.none]
    out.show(join([bold(words.usage.title), '', ...body], '\n'), [[commandButton(words.buttons.account, 'account')]])
  })
}
