import type { Config } from '../../../functions/config.ts'
import { VERSION } from '../../../functions/version.ts'
import { askHealth } from '../ask-worker.ts'
import { tryWebhook } from '../try-webhook.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('worker')

export async function checkWorker(config: Config): Promise<Finding[]> {
  try {
    const health = await askHealth(config.PUBLIC_URL)
    const findings: Finding[] = []
    if (health.version === VERSION) findings.push(ok(`answers under ${config.PUBLIC_URL}, version ${VERSION}`))
    else
      findings.push(warn(`runs version ${health.version}, here is ${VERSION}`, 'npm run deploy brings it up to date.'))
    if (health.database !== 'ok')
      findings.push(fail('does not reach the database', 'Is LIBSQL_URL reachable from there? npm run deploy sets it.'))
    if (health.runner === 'unreachable')
      findings.push(fail('does not reach the deploy-runner', 'Is DEPLOY_RUNNER_URL reachable from there?'))
    return [...findings, await checkSecret(config)]
  } catch {
    return [
      fail(
        `does not answer under ${config.PUBLIC_URL}`,
        'npx wrangler tail shows why; npm run deploy uploads it again.',
      ),
    ]
  }
}

async function checkSecret(config: Config): Promise<Finding> {
  const { ours, stranger } = await tryWebhook(config)
  if (ours !== 200)
    return fail(`answers ${ours} to an update with our secret`, 'npm run deploy sets the secret on both sides.')
  if (stranger !== 401)
    return fail(
      `answers ${stranger} to an update without our secret`,
      'Stop it: npx wrangler delete. Then look at the code that runs.',
    )
  return ok("takes Telegram's updates and nobody else's")
}
