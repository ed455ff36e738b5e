/** The Worker's routes in this process, with a database and one agent: for what needs neither chats nor a network. */
import { app } from '../functions/app.ts'
import type { Database } from '../functions/database/database.ts'
import { agents } from '../functions/database/schema.ts'
import { startTestDatabase } from '../functions/database/testing/test-database.ts'
import { hashInferenceKey } from '../functions/inference/agent-key.ts'

/** Of the webhook, and of the operator. */
export const SECRET = 'a-secret-of-enough-length'
/** Of the agent, whose id is `rosa`. */
export const AGENT_KEY = `bk-${'k'.repeat(40)}`

/** What goes on after an answer, as the platform lets it. */
const BESIDE = {
  waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined),
  passThroughOnException: () => undefined,
  props: {},
}

export interface WorkerInNode {
  readonly database: Database
  /** @param bindings beside the usual ones */
  request(path: string | Request, init?: RequestInit, bindings?: object): Promise<Response>
  close(): Promise<void>
}

export async function startWorkerInNode(): Promise<WorkerInNode> {
  const { url, database, close } = await startTestDatabase()
  await database.insert(agents).values({
    id: 'rosa',
    ownerId: 1,
    name: 'Rosa',
    prompt: '',
    model: 'glm-4.7',
    status: 'running',
    secretSealed: '',
    inferenceKeySealed: '',
    inferenceKeyHash: hashInferenceKey(AGENT_KEY),
    createdAt: 0,
    updatedAt: 0,
  })
  const environment = {
    PUBLIC_URL: 'http://127.0.0.1:1',
    TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    LIBERTAI_API_KEY: 'key',
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
    LIBSQL_URL: url,
    DEPLOY_RUNNER_URL: 'http://127.0.0.1:1',
    BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
    WORKER_SIGNING_KEY: '{}',
    ADMIN_TOKEN: SECRET,
  }
  return {
    database,
    request: async (path, init, bindings = {}) => app.request(path, init, { ...environment, ...bindings }, BESIDE),
    close,
  }
}
