/** The deploy-runner as a Cloudflare Container, for operators without a host of their own for it. */
import { Container } from '@cloudflare/containers'

interface RunnerSecrets {
  readonly SSH_PRIVATE_KEY?: string
  readonly SSH_PRIVATE_KEY_FORMER?: string
  readonly WORKER_SIGNING_KEY?: string
}

export class DeployRunner extends Container {
  override defaultPort = 8080
  override sleepAfter = '10m'
  /** SSH leaves on ports that are not HTTP. */
  override enableInternet = true

  constructor(ctx: DurableObjectState<object>, env: unknown) {
    super(ctx, env as never)
    const { SSH_PRIVATE_KEY = '', SSH_PRIVATE_KEY_FORMER = '', WORKER_SIGNING_KEY = '{}' } = env as RunnerSecrets
    this.envVars = { SSH_PRIVATE_KEY, SSH_PRIVATE_KEY_FORMER, WORKER_PUBLIC_KEY: publicHalf(WORKER_SIGNING_KEY) }
  }
}

/** What verifies a signature, without what makes one. */
function publicHalf(privateJwk: string): string {
  const { d: _private, ...jwk } = JSON.parse(privateJwk)
  return JSON.stringify(jwk)
}
