/** The Worker's bindings, as named in wrangler.toml. Variables and secrets are read through `config.ts` only. */
import type { Chat } from './chat/chat.ts'
import type { DeploymentParams } from './provision/deployment-params.ts'

export interface Bindings {
  readonly CHAT: DurableObjectNamespace<Chat>
  readonly PROVISION: Workflow<DeploymentParams>
  /** Absent where the runner is reached by `DEPLOY_RUNNER_URL`. */
  readonly RUNNER?: DurableObjectNamespace
  /** Calls of one agent to the gateway. Absent in a Worker that only tests delivery. */
  readonly INFERENCE_RATE?: RateLimit
  /** Calls of one address that show no key we know. Absent where nobody counts. */
  readonly STRANGER_RATE?: RateLimit
}
