/** /logout: forgets the person's own key. */
import { saveUserSettings } from '../../database/users.ts'
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerLogout(router: Router): void {
  onCommand(router, 'logout', async ({ ports, user, words, out }) => {
    if (user.apiKeySealed === null) return out.refuse(words.login.notLoggedIn)
    await saveUserSettings(ports.database, user.id, { apiKeySealed: null })
    out.show(words.login.loggedOut)
  })
}
