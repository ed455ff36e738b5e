/** Whether a runner opens machines with the key that new machines are given: where not, each new one is shut to it. */
import { RunnerHealth } from '../../deploy-runner/protocol.ts'
import { OperatorError } from './operator-error.ts'
import { RUNNER_ENVIRONMENT_NAME } from './production-file.ts'
import type { Values } from './production-values.ts'

const CALL_LIMIT_MS = 15_000

export async function askRunnerHealth(url: string): Promise<RunnerHealth> {
  const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(CALL_LIMIT_MS) })
  return RunnerHealth.parse(await response.json())
}

/** @returns also true for an older runner, which does not tell */
export function opensWith({ ssh_public_key: used }: RunnerHealth, publicKey: string): boolean {
  return used === undefined || used === publicKey.trim().split(/\s+/).slice(0, 2).join(' ')
}

/** @throws {OperatorError} while the SSH pair is being rotated and a runner of one's own still has the old one alone */
export async function requireRunnerWithNewPair(values: Values): Promise<void> {
  const { DEPLOY_RUNNER_URL: url, SSH_PRIVATE_KEY_FORMER: former, ALEPH_SSH_PUBKEY: publicKey = '' } = values
  if (!url || !former) return
  const health = await askRunnerHealth(url).catch((cause: unknown) => {
    throw new OperatorError('The deploy-runner does not answer.', `Start it with ${RUNNER_ENVIRONMENT_NAME}.`, {
      cause,
    })
  })
  if (health.ssh_public_key !== undefined && opensWith(health, publicKey)) return
  throw new OperatorError(
    'The deploy-runner does not have the new SSH pair: it could not open new machines.',
    `Start it, of this version, with ${RUNNER_ENVIRONMENT_NAME}, which names both pairs; then run this again.`,
  )
}
