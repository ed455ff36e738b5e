/** Provisioning's ports in the Worker. */
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { openDatabase } from '../database/database.ts'
import { describeError, log } from '../log.ts'
import { sealFor } from '../seal.ts'
import { agentServers } from './agent-servers.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { openRunner } from './runner-client.ts'
import { noSnapshots, snapshotsIn } from './snapshots.ts'
import { workflowEngine } from './workflow-engine.ts'

export function openProvisionPorts(env: Bindings): ProvisionPorts {
  const config = parseConfig(env)
  return {
    config,
    database: openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN }),
    seal: sealFor(config),
    runner: openRunner({ config, env }),
    agents: agentServers,
    snapshots: env.SNAPSHOTS ? snapshotsIn(env.SNAPSHOTS) : noSnapshots,
    engine: workflowEngine(env.PROVISION),
    async tell(chatName, report) {
      try {
        await env.CHAT.getByName(chatName).reportDeployment(report)
      } catch (error) {
        // When the chat does not answer, the work goes on.
        log('warn', 'report_failed', {
          deployment: report.deploymentId,
          step: report.step,
          error: describeError(error),
        })
      }
    },
    now: () => Date.now(),
    random: () => Math.random(),
  }
}
