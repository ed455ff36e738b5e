/** /resend, typed in place of the button: what may not have arrived is sent again. */
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerResend(router: Router): void {
  onCommand(router, 'resend', ({ ports, words, out }) => {
    // The message itself is the answer.
    if (!ports.resend()) out.refuse(words.conversation.nothingToResend)
  })
}
