/** Whether what was deployed works, asked the way the world asks: through the public address. */
import { VERSION } from '../../functions/version.ts'
import { askHealth, type WorkerHealth } from './ask-worker.ts'
import { OperatorError } from './operator-error.ts'
import type { Values } from './production-values.ts'
import { trySignature } from './try-signature.ts'
import { tryWebhook } from './try-webhook.ts'

/** A new address takes its certificate and its way through the network. */
const READY_LIMIT_MS = 120_000
const LOOK_EVERY_MS = 1_000

/** @throws {OperatorError} for the first thing that does not work */
export async function selfTest(values: Values, { say }: { say(line: string): void }): Promise<void> {
  const health = await untilDeployed(values.PUBLIC_URL ?? '')
  say(`  the Worker answers, version ${health.version}`)
  if (health.database !== 'ok') {
    throw new OperatorError(
      'The Worker does not reach the database.',
      'Check that LIBSQL_URL is reachable from the internet.',
    )
  }
  say('  the database answers')
  await checkWebhook(values)
  say("  Telegram's updates are taken, a stranger's are not")
  if (values.DEPLOY_RUNNER_URL) {
    await tryRunner(values, health)
    say('  the deploy-runner answers and takes our signature')
  }
}

async function untilDeployed(publicUrl: string): Promise<WorkerHealth> {
  const deadline = Date.now() + READY_LIMIT_MS
  for (;;) {
    const health = await askHealth(publicUrl).catch(() => undefined)
    if (health?.version === VERSION && health.database !== undefined) return health
    if (Date.now() > deadline) {
      throw new OperatorError(
        `${publicUrl}/health ${health ? `answers with version ${health.version}, not ${VERSION}` : 'does not answer'}.`,
        'Look at npx wrangler tail, then run npm run deploy again.',
      )
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function checkWebhook({
  PUBLIC_URL = '',
  TELEGRAM_BOT_TOKEN = '',
  TELEGRAM_WEBHOOK_SECRET = '',
}: Values): Promise<void> {
  const { ours, stranger } = await tryWebhook({ PUBLIC_URL, TELEGRAM_BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET })
  if (ours !== 200) {
    throw new OperatorError(
      `The Worker answers ${ours} to an update with our secret.`,
      'Remove .prod.state.json and run npm run deploy again: every secret is set anew.',
    )
  }
  if (stranger !== 401) {
    throw new OperatorError(`The Worker answers ${stranger} to a stranger's update.`, 'Look at npx wrangler tail.')
  }
}

async function tryRunner(
  { DEPLOY_RUNNER_URL = '', WORKER_SIGNING_KEY = '' }: Values,
  { runner }: WorkerHealth,
): Promise<void> {
  if (runner !== 'ok') {
    throw new OperatorError(
      'The Worker does not reach the deploy-runner.',
      'Check that DEPLOY_RUNNER_URL is reachable from the internet.',
    )
  }
  if ((await trySignature(DEPLOY_RUNNER_URL, WORKER_SIGNING_KEY)) !== 'accepted') {
    throw new OperatorError(
      'The deploy-runner refuses our signature.',
      'Start it with the WORKER_PUBLIC_KEY of .prod.runner.env.',
    )
  }
}
