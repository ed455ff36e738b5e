/** /language: in which language Baal itself speaks; agents answer in whatever language they are written to. */
import { saveUserSettings } from '../../database/users.ts'
import { isLanguage, LANGUAGES, languageOf, wordsFor } from '../catalogue/catalogue.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button, commandButton, rows } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerLanguage(router: Router): void {
  onCommand(router, 'language', async (ctx, argument) => {
    const wanted = argument.toLowerCase()
    if (isLanguage(wanted) || wanted === 'auto') return set(ctx, wanted)
    const { words, out } = ctx
    const choices = LANGUAGES.map((code) => button(wordsFor(code).language.name, `lang:${code}`))
    out.show(words.language.choose, [
      ...rows(choices, 2),
      [button(words.buttons.automatic, 'lang:auto')],
      [commandButton(words.buttons.account, 'account')],
    ])
  })
  router.callbackQuery(/^lang:([a-z]{2}|auto)$/, async (ctx) => {
    const wanted = ctx.match[1] ?? ''
    if (isLanguage(wanted) || wanted === 'auto') return set(ctx, wanted)
    ctx.out.toast(ctx.words.toasts.outdated)
  })
}

async function set({ ports, user, out }: BaalContext, wanted: string): Promise<void> {
  const languageOverride = wanted === 'auto' ? null : wanted
  await saveUserSettings(ports.database, user.id, { languageOverride })
  const words = wordsFor(languageOf({ ...user, languageOverride }))
  out.show(words.language.set, [[commandButton(words.buttons.account, 'account')]])
}
