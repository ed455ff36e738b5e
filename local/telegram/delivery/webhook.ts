/**
 * Webhook delivery by Telegram's rules (WebhookActor.cpp of the Bot API server): within a queue strictly one after the other,
 * the next only after a 2xx; up to `max_connections` queues at once; 60 seconds for an answer; a failure is tried again at
 * once, then after 2, 4, 8 … seconds, or when `Retry-After` says; what is too old is dropped; 23 hours of 410 end it all.
 */
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Settings } from '../state/settings.ts'
import type { QueuedUpdate, Updates } from '../state/updates.ts'

const WEBHOOK_TIMEOUT_MS = 60_000
const MAX_RETRY_AFTER_S = 3600
const MAX_PAUSE_MIN_MS = 60_000
const GONE_LIMIT_MS = 23 * 3600 * 1000
/** A `{"method": …}` in the answer is a call; nothing longer is read. */
const MAX_REPLY_BYTES = 1 << 20

const Webhook = z.object({
  url: z.string(),
  secret_token: z.string().optional(),
  max_connections: z.int(),
  ip_address: z.string().optional(),
})
export type Webhook = z.infer<typeof Webhook>

/** Pause before the next try after the n-th failure in a row (n from 1). */
export type RetryDelay = (failures: number) => number

export const telegramRetryDelay: RetryDelay = (failures) => {
  if (failures <= 1) return 0
  const cap = MAX_PAUSE_MIN_MS * (1 + Math.random())
  return Math.min(cap, 1000 * 2 ** (failures - 1))
}

export interface WebhookOptions {
  readonly updates: Updates
  readonly settings: Settings
  readonly clock: Clock
  readonly retryDelayMs: RetryDelay
  /** A method call in the body of the webhook's answer. */
  readonly onReply: (body: Record<string, unknown>) => void
  readonly onDelivery: (delivery: Delivery) => void
}

/** One attempt, for the log. */
export interface Delivery {
  readonly at: number
  readonly ms: number
  readonly update_id: number
  readonly queue: string
  readonly attempt: number
  readonly ok: boolean
  readonly status?: number
  readonly error?: string
}

interface Queue {
  readonly waiting: QueuedUpdate[]
  busy: boolean
  failures: number
  wakeAt: number
}

export class WebhookDelivery {
  readonly #options: WebhookOptions
  readonly #queues = new Map<string, Queue>()
  readonly #running = new Set<AbortController>()
  readonly #unsubscribe: () => void
  #webhook: Webhook | undefined
  #lastLoaded = 0
  #firstGoneAt: number | undefined
  #cancelWake: (() => void) | undefined
  #lastError: { date: number; message: string } | undefined
  #closed = false

  constructor(options: WebhookOptions) {
    this.#options = options
    this.#webhook = options.settings.get('webhook', Webhook)
    this.#unsubscribe = options.updates.onAdded(() => this.#loop())
    this.#loop()
  }

  get webhook(): Webhook | undefined {
    return this.#webhook
  }

  get lastError(): { readonly date: number; readonly message: string } | undefined {
    return this.#lastError
  }

  /** Undefined removes it. What was in flight is given up; undelivered updates stay for whoever asks next. */
  set(webhook: Webhook | undefined): void {
    const isSame = JSON.stringify(webhook) === JSON.stringify(this.#webhook)
    if (isSame) return
    for (const call of this.#running) call.abort()
    this.#running.clear()
    this.#queues.clear()
    this.#lastLoaded = 0
    this.#firstGoneAt = undefined
    this.#lastError = undefined
    this.#webhook = webhook
    if (webhook) this.#options.settings.put('webhook', webhook)
    else this.#options.settings.remove('webhook')
    this.#loop()
  }

  /** After `Updates.clear`: forgets what was loaded. */
  forget(): void {
    this.#queues.clear()
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe()
    this.#cancelWake?.()
    for (const call of this.#running) call.abort()
  }

  #loop(): void {
    if (this.#closed || !this.#webhook) return
    this.#load()
    this.#cancelWake?.()
    const { clock } = this.#options
    let nextWake = Number.POSITIVE_INFINITY
    const ready = [...this.#queues.entries()].sort(([, a], [, b]) => a.wakeAt - b.wakeAt)
    for (const [name, queue] of ready) {
      if (queue.busy) continue
      if (queue.wakeAt > clock.now()) nextWake = Math.min(nextWake, queue.wakeAt)
      else if (this.#running.size < this.#webhook.max_connections) void this.#sendHead(name, queue, this.#webhook)
    }
    if (nextWake < Number.POSITIVE_INFINITY) {
      this.#cancelWake = clock.after(nextWake - clock.now(), () => this.#loop())
    }
  }

  #load(): void {
    for (const queued of this.#options.updates.list(this.#lastLoaded)) {
      this.#lastLoaded = queued.update.update_id
      const queue = this.#queues.get(queued.queue) ?? { waiting: [], busy: false, failures: 0, wakeAt: 0 }
      queue.waiting.push(queued)
      this.#queues.set(queued.queue, queue)
    }
  }

  async #sendHead(name: string, queue: Queue, webhook: Webhook): Promise<void> {
    const head = queue.waiting[0]
    if (!head) {
      this.#queues.delete(name)
      return
    }
    const { clock } = this.#options
    if (head.expiresAt < clock.now()) {
      this.#drop(name, queue, head)
      return
    }
    queue.busy = true
    const call = new AbortController()
    this.#running.add(call)
    const startedAt = clock.now()
    const outcome = await this.#post(webhook, head, call)
    // Another webhook was set meanwhile: its queues are new, and this answer is nobody's.
    if (!this.#running.delete(call) || this.#closed) return
    queue.busy = false
    this.#options.onDelivery({
      at: startedAt,
      ms: clock.now() - startedAt,
      update_id: head.update.update_id,
      queue: name,
      attempt: queue.failures + 1,
      ok: outcome.ok,
      ...(outcome.status === undefined ? {} : { status: outcome.status }),
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    })
    if (outcome.ok) {
      this.#firstGoneAt = undefined
      this.#drop(name, queue, head)
      if (outcome.reply) this.#options.onReply(outcome.reply)
    } else {
      this.#onFailure(name, queue, head, outcome)
    }
  }

  #onFailure(name: string, queue: Queue, head: QueuedUpdate, { status, error, retryAfterS }: Outcome): void {
    const now = this.#options.clock.now()
    this.#lastError = { date: Math.floor(now / 1000), message: error ?? '' }
    if (status === 410) {
      this.#firstGoneAt ??= now
      if (now > this.#firstGoneAt + GONE_LIMIT_MS) {
        this.set(undefined)
        return
      }
    } else if (status !== undefined) {
      this.#firstGoneAt = undefined
    }
    queue.failures++
    const pause = retryAfterS
      ? Math.min(retryAfterS, MAX_RETRY_AFTER_S) * 1000
      : this.#options.retryDelayMs(queue.failures)
    if (now + pause > head.expiresAt) {
      this.#drop(name, queue, head)
    } else {
      queue.wakeAt = now + pause
      this.#loop()
    }
  }

  #drop(name: string, queue: Queue, head: QueuedUpdate): void {
    queue.waiting.shift()
    queue.failures = 0
    queue.wakeAt = 0
    // After `forget` another queue may have taken the name.
    if (queue.waiting.length === 0 && this.#queues.get(name) === queue) this.#queues.delete(name)
    this.#options.updates.remove(head.update.update_id)
    this.#loop()
  }

  async #post(webhook: Webhook, { update }: QueuedUpdate, call: AbortController): Promise<Outcome> {
    const cancelTimeout = this.#options.clock.after(WEBHOOK_TIMEOUT_MS, () => call.abort(new Error('timeout')))
    try {
      const response = await fetch(webhook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(webhook.secret_token ? { 'x-telegram-bot-api-secret-token': webhook.secret_token } : {}),
        },
        body: JSON.stringify(update),
        redirect: 'manual',
        signal: call.signal,
      })
      const text = await readText(response)
      if (response.ok) return { ok: true, status: response.status, reply: readReply(text) }
      return {
        ok: false,
        status: response.status,
        error: `Wrong response from the webhook: ${response.status} ${response.statusText}`,
        retryAfterS: Number(response.headers.get('retry-after')) || 0,
      }
    } catch (error) {
      return { ok: false, error: describeFailure(error, call.signal) }
    } finally {
      cancelTimeout()
    }
  }
}

interface Outcome {
  readonly ok: boolean
  readonly status?: number
  readonly error?: string
  readonly retryAfterS?: number
  readonly reply?: Record<string, unknown> | undefined
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size <= MAX_REPLY_BYTES) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const Reply = z.looseObject({ method: z.string() })

function readReply(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const reply = Reply.safeParse(JSON.parse(text))
    return reply.success ? reply.data : undefined
  } catch {
    return undefined // Telegram reads no sense into any other body either.
  }
}

function describeFailure(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'Read timeout expired'
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'ECONNREFUSED') return 'Connection refused'
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'
    ? 'Webhook connection closed'
    : `Connection failed ${code}`.trim()
}
