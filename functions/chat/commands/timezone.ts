/** /timezone: what "tomorrow at nine" means for a person. */
import { saveUserSettings } from '../../database/users.ts'
import { LANGUAGES, wordsFor } from '../catalogue/catalogue.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button, commandButton, rows } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

const OFFERED = LANGUAGES.flatMap((language) => wordsFor(language).timezone.zones.map(({ zone }) => zone))

export function registerTimezone(router: Router): void {
  onCommand(router, 'timezone', async (ctx, typed) => {
    if (typed) return set(ctx, typed)
    const { ports, user, words, out, language } = ctx
    const current = user.timezone ?? 'UTC'
    const time = renderTime(ports.now(), current, language)
    out.show(words.timezone.choose({ current: user.timezone ?? words.timezone.none, time }), [
      ...rows(
        words.timezone.zones.map(({ zone, city }) => button(city, `tz:${zone}`)),
        2,
      ),
      [commandButton(words.buttons.account, 'account')],
    ])
  })
  router.callbackQuery(/^tz:([\w/+-]{1,40})$/, (ctx) => set(ctx, ctx.match[1] ?? ''))
}

async function set({ ports, user, words, out, language }: BaalContext, typed: string): Promise<void> {
  const timezone = parseTimezone(typed)
  if (!timezone) return out.refuse(words.timezone.unknown({ timezone: typed.slice(0, 60).toWellFormed() }))
  await saveUserSettings(ports.database, user.id, { timezone })
  out.show(words.timezone.set({ timezone, time: renderTime(ports.now(), timezone, language) }), [
    [commandButton(words.buttons.account, 'account')],
  ])
}

/** @returns the zone's own spelling, or `undefined` for what is none */
export function parseTimezone(typed: string): string | undefined {
  const zone = typed.trim().replaceAll(' ', '_')
  // The platform's own spelling of some is out of date (`Asia/Calcutta`).
  const offered = OFFERED.find((name) => name.toLowerCase() === zone.toLowerCase())
  if (offered) return offered
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function renderTime(now: number, timeZone: string, language: string): string {
  return new Intl.DateTimeFormat(language, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    now,
  )
}
