/** The Worker's own routes and chat object with handlers of the tests. */
import { Hono } from 'hono'
import { agentPending } from '../../agent-pending.ts'
import type { Bindings } from '../../bindings.ts'
import { telegramWebhook } from '../../telegram-webhook.ts'
import { Chat as RealChat } from '../chat.ts'
import { classifyUpdate, describeDeployment, handleUpdate } from './simple-handlers.ts'

/** Given by tests that are less patient than the platform. */
interface TestBindings extends Bindings {
  readonly TEST_HANDOVER_MS?: string
}

export class Chat extends RealChat {
  constructor(ctx: DurableObjectState, env: TestBindings) {
    const handoverMs = Number(env.TEST_HANDOVER_MS ?? 600_000)
    const limits = { handoverMs, watchdogMs: 3 * handoverMs }
    super(ctx, env, { classifyUpdate, describeDeployment, handleUpdate }, limits)
  }
}

const app = new Hono<{ Bindings: Bindings }>()
  .route('/', telegramWebhook)
  .route('/', agentPending)
  .get('/health', (c) => c.json({ status: 'ok' }))

// biome-ignore lint/style/noDefaultExport: what the platform starts
export default app
