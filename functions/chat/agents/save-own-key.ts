/** A person's own key of the model provider: tried, sealed, and from then on used inside the Worker's gateway only. */
import { saveUserSettings } from '../../database/users.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { createProviderAccount } from './provider-account.ts'

const KEY = /^[\x21-\x7e]{16,256}$/

/** @returns what the person is told; the message that brought the key is the caller's to delete */
export async function saveOwnKey({ ports, user, words }: BaalContext, key: string): Promise<string> {
  const { login } = words
  if (!KEY.test(key)) return login.malformed
  const { kind } = await (ports.provider ?? createProviderAccount(ports.config)).check(key)
  if (kind !== 'valid') return kind === 'refused' ? login.refused : login.unreachable
  const apiKeySealed = await ports.seal.seal(key, { what: 'user-key', id: String(user.id) })
  await saveUserSettings(ports.database, user.id, { apiKeySealed })
  return login.saved
}
