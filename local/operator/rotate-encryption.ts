/**
 * Another key that seals every key at rest, in two runs around a deployment. The first makes it: from the deployment on the
 * Worker seals with it and opens with either. The second seals anew what the old one has sealed, and forgets that one when
 * nothing is left that it is needed for. Safe to repeat, and to run beside a working Worker.
 */
import { openDatabase } from '../../functions/database/database.ts'
import { resealAll } from '../../functions/database/reseal.ts'
import { createSeal } from '../../functions/seal.ts'
import { makeEncryptionKey } from '../made-keys.ts'
import { describeResealed, WHEN_BROKEN } from './describe-resealed.ts'
import { OperatorError } from './operator-error.ts'
import { fingerprint, loadState, saveValues } from './production-file.ts'
import type { Values } from './production-values.ts'

/** @returns what is to be done next. @throws {OperatorError} while a record is left that the new key does not open */
export async function rotateEncryptionKey(values: Values, file: string): Promise<string> {
  const { BOT_ENCRYPTION_KEY: current = '', BOT_ENCRYPTION_KEY_FORMER: former, ...kept } = values
  if (!former) {
    await saveValues(file, { ...kept, BOT_ENCRYPTION_KEY: makeEncryptionKey(), BOT_ENCRYPTION_KEY_FORMER: current })
    return 'There is a new encryption key; the old one still opens what it sealed. Next: npm run deploy, then npm run rotate -- encryption again.'
  }
  const { secrets } = await loadState(file)
  if (secrets.BOT_ENCRYPTION_KEY !== fingerprint('BOT_ENCRYPTION_KEY', current)) {
    throw new OperatorError('The Worker does not have the new key yet.', 'npm run deploy, then run this again.')
  }
  const sealed = await resealAll(
    openDatabase({ url: values.LIBSQL_URL ?? '', authToken: values.LIBSQL_AUTH_TOKEN }),
    createSeal(
      current,
      former.split(',').map((key) => key.trim()),
    ),
  )
  const counts = describeResealed(sealed)
  if (sealed.broken > 0) throw new OperatorError(counts, WHEN_BROKEN)
  await saveValues(file, { ...kept, BOT_ENCRYPTION_KEY: current })
  return `${counts} The old key is forgotten. Next: npm run deploy`
}
