/**
 * /rich: whether answers may be rich messages. Not every app shows them and nobody can know which one a person uses, so they
 * are shown one and say what they see.
 */
import { saveUserSettings } from '../../database/users.ts'
import { renderRich } from '../rich/render-rich.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button, commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'
import { renderMarkdown } from '../text/render-markdown.ts'

type Choice = 'auto' | 'always' | 'never'

export function registerRich(router: Router): void {
  onCommand(router, 'rich', (ctx, argument) => {
    const wanted = argument.toLowerCase()
    return isChoice(wanted) ? set(ctx, wanted) : showSample(ctx)
  })
  router.callbackQuery(/^rich:(auto|always|never)$/, (ctx) => {
    const wanted = ctx.match[1] ?? ''
    return isChoice(wanted) ? set(ctx, wanted) : undefined
  })
}

function isChoice(word: string): word is Choice {
  return word === 'auto' || word === 'always' || word === 'never'
}

/** A new message, also after a button: whether an app turns a text into a rich message is another question. */
function showSample({ words, out }: BaalContext): void {
  const { sample } = words.rich
  out.send(renderMarkdown(sample), {
    rich: renderRich(sample),
    keyboard: [
      [button(words.buttons.richAuto, 'rich:auto'), button(words.buttons.richAlways, 'rich:always')],
      [button(words.buttons.richNever, 'rich:never')],
    ],
  })
}

async function set({ ports, user, words, out }: BaalContext, richText: Choice): Promise<void> {
  await saveUserSettings(ports.database, user.id, { richText })
  out.show(words.rich[richText], [[commandButton(words.buttons.account, 'account')]])
}
