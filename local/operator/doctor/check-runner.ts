import { RUNNER_PROTOCOL_VERSION, RunnerHealth } from '../../../deploy-runner/protocol.ts'
import type { Config } from '../../../functions/config.ts'
import { trySignature } from '../try-signature.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('runner')
const CALL_LIMIT_MS = 15_000

/** @returns also the version of the agent server that it installs, where it tells */
export async function checkRunner(config: Config): Promise<{ findings: Finding[]; agentVersion?: string }> {
  const { DEPLOY_RUNNER_URL: url, WORKER_SIGNING_KEY } = config
  if (!url)
    return { findings: [ok('in a container at Cloudflare: started by each deployment, not reachable from here')] }
  try {
    const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(CALL_LIMIT_MS) })
    const health = RunnerHealth.parse(await response.json())
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
        await checkSignature(url, WORKER_SIGNING_KEY),
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
