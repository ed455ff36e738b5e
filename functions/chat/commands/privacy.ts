/** /privacy: what is kept of a person, who can read it, and how they get rid of it. Says what docs/security.md says. */
import type { Router } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerPrivacy(router: Router): void {
  onCommand(router, 'privacy', ({ words, out }) => {
    out.send(words.privacy.body(), { keyboard: [[commandButton(words.buttons.account, 'account')]] })
  })
}
