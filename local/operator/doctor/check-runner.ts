import { RUNNER_PROTOCOL_VERSION } from '../../../deploy-runner/protocol.ts'
import type { Config } from '../../../functions/config.ts'
import { askRunnerHealth, opensWith } from '../runner-key.ts'
import { trySignature } from '../try-signature.ts'
import { isSigningKey } from './check-keys.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('runner')

/** @returns also the version of the agent server that it installs, where it tells */
export async function checkRunner(config: Config): Promise<{ findings: Finding[]; agentVersion?: string }> {
  const { DEPLOY_RUNNER_URL: url, WORKER_SIGNING_KEY, ALEPH_SSH_PUBKEY } = config
  if (!url)
    return { findings: [ok('in a container at Cloudflare: started by each deployment, not reachable from here')] }
  try {
    const health = await askRunnerHealth(url)
    const isKnown = health.protocol === RUNNER_PROTOCOL_VERSION
    return {
      agentVersion: health.agent_version,
      findings: [
        isKnown
          ? ok(`answers; installs agent server ${health.agent_version} on Node ${health.node_version}`)
          : warn(
              `speaks protocol ${health.protocol}, we speak ${RUNNER_PROTOCOL_VERSION}`,
              'Build and start its image anew.',
            ),
        // One that is none was told as such.
        ...(isSigningKey(WORKER_SIGNING_KEY) ? [await checkSignature(url, WORKER_SIGNING_KEY)] : []),
        ...(opensWith(health, ALEPH_SSH_PUBKEY)
          ? []
          : [
              fail(
                'opens machines with another key than ALEPH_SSH_PUBKEY, which new ones let in',
                'Start it with .prod.runner.env, or correct the pair.',
              ),
            ]),
      ],
    }
  } catch {
    return { findings: [fail('does not answer', `Start it (deploy-runner/README.md), or correct DEPLOY_RUNNER_URL.`)] }
  }
}

async function checkSignature(url: string, signingKey: string): Promise<Finding> {
  switch (await trySignature(url, signingKey)) {
    case 'accepted':
      return ok('takes our signature')
    case 'refused':
      return fail('refuses our signature', 'Start it with the WORKER_PUBLIC_KEY of .prod.runner.env; check its clock.')
    case 'unreachable':
      return fail('does not answer a signed call', 'Look at what it printed.')
  }
}
