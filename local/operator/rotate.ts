/**
 * A new key in the place of an old one, in `.prod.vars`; `npm run deploy` then carries it to where it is used. The signing key
 * of a runner of one's own takes two steps: first the runner takes both, then the new one signs.
 */
import { makeAdminToken, makeSigningKey, makeWebhookSecret } from '../made-keys.ts'
import { OperatorError } from './operator-error.ts'
import { loadValues, runnerEnvironmentOf, saveRunnerEnvironment, saveValues } from './production-file.ts'
import type { Values } from './production-values.ts'
import { rotateEncryptionKey } from './rotate-encryption.ts'
import { rotateSshPair } from './rotate-ssh.ts'
import { trySignature } from './try-signature.ts'

const DEPLOY = 'npm run deploy carries it to where it is used.'

/** @returns what is to be done next, for the person */
export async function rotate(
  which: string,
  file: string,
  say: (line: string) => void = () => undefined,
): Promise<string> {
  const values = await loadValues(file)
  if (!values.BOT_ENCRYPTION_KEY) throw new OperatorError('There are no keys yet.', 'npm run deploy makes them.')
  switch (which) {
    case 'webhook':
      await saveValues(file, { ...values, TELEGRAM_WEBHOOK_SECRET: makeWebhookSecret() })
      return `There is a new webhook secret. ${DEPLOY}`
    case 'admin':
      await saveValues(file, { ...values, ADMIN_TOKEN: makeAdminToken() })
      return `There is a new admin token. ${DEPLOY}`
    case 'signing':
      return rotateSigningKey(values, file)
    case 'encryption':
      return rotateEncryptionKey(values, file)
    case 'ssh':
      return rotateSshPair(values, file, say)
    default:
      throw new OperatorError(
        `There is no key “${which}”.`,
        'npm run rotate -- webhook, admin, signing, ssh or encryption; docs/operating.md has the others.',
      )
  }
}

async function rotateSigningKey(values: Values, file: string): Promise<string> {
  const { DEPLOY_RUNNER_URL: url, WORKER_SIGNING_KEY_NEXT: next, ...kept } = values
  if (!url) {
    // Worker and container take it from the same secret.
    await saveValues(file, { ...kept, WORKER_SIGNING_KEY: makeSigningKey() })
    return `There is a new signing key. ${DEPLOY}`
  }
  if (!next) return prepare(values, file)
  if ((await trySignature(url, next)) !== 'accepted') {
    throw new OperatorError(
      'The runner does not take the new key yet.',
      'Start it with .prod.runner.env, then run this again.',
    )
  }
  await saveValues(file, { ...kept, DEPLOY_RUNNER_URL: url, WORKER_SIGNING_KEY: next })
  return `The runner takes the new key. ${DEPLOY} Afterwards start the runner with .prod.runner.env once more: it then holds the new key alone.`
}

async function prepare(values: Values, file: string): Promise<string> {
  const next = makeSigningKey()
  const changed = { ...values, WORKER_SIGNING_KEY_NEXT: next }
  await saveValues(file, changed)
  const path = await saveRunnerEnvironment(file, runnerEnvironmentOf(changed))
  return `There is a new signing key, not in use yet. Start the runner with ${path}, which names both, then run npm run rotate -- signing again.`
}
