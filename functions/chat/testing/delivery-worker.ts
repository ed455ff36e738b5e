/** The Worker's own routes and chat object with handlers of the tests. */
import { Hono } from 'hono'
import { agentPending } from '../../agent-pending.ts'
import type { Bindings } from '../../bindings.ts'
import { telegramWebhook } from '../../telegram-webhook.ts'
import { Chat as RealChat } from '../chat.ts'
import { classifyUpdate, describeDeployment, handleUpdate } from './simple-handlers.ts'

export class Chat extends RealChat {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env, { classifyUpdate, describeDeployment, handleUpdate })
  }
}

const app = new Hono<{ Bindings: Bindings }>()
  .route('/', telegramWebhook)
  .route('/', agentPending)
  .get('/health', (c) => c.json({ status: 'ok' }))

// biome-ignore lint/style/noDefaultExport: what the platform starts
export default app
