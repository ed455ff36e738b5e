/** The Worker's bindings, as named in wrangler.toml. Variables and secrets are read through `config.ts` only. */
import type { Chat } from './chat/chat.ts'
import type { Snapshots } from './provision/snapshots.ts'
import type { WorkflowParams } from './provision/workflow-params.ts'

export interface Bindings {
  readonly CHAT: DurableObjectNamespace<Chat>
  readonly PROVISION: Workflow<WorkflowParams>
  /** Agents' state, put aside for a machine that dies. Absent in a Worker that only tests delivery. */
  readonly SNAPSHOTS?: DurableObjectNamespace<Snapshots>
  /** Absent where the runner is reached by `DEPLOY_RUNNER_URL`. */
  readonly RUNNER?: DurableObjectNamespace
  /** Calls of one agent to the gateway. Absent in a Worker that only tests delivery. */
  readonly INFERENCE_RATE?: RateLimit
  /** Calls of one address that show no key we know. Absent where nobody counts. */
  readonly STRANGER_RATE?: RateLimit
}
