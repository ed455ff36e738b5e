/**
 * A provider's stream on its way to the client: each chunk as it comes, the next only when the client has taken this one,
 * and a client that leaves closes it at the provider. What it used is known at the end, or estimated when it was cut.
 *
 * A pull stream on purpose: `tee()` holds back the first byte and hides the client's leaving.
 */
import { failureBody } from './api-failure.ts'
import { createUsageFilter } from './hide-usage.ts'
import { createStreamUsage, type TokenUsage } from './stream-usage.ts'

/** Silence after which the provider is given up: models that think still send. */
const IDLE_LIMIT_MS = 180_000
/** What has piled up meanwhile is passed on in one piece. */
const READ_BYTES = 32 * 1024
const WATCH_INTERVAL_MS = 15_000

export interface MeteredStream {
  readonly body: ReadableStream<Uint8Array>
  /** Settles when the stream is over, however that came about. Never rejects. */
  readonly used: Promise<StreamEnd>
}

export interface StreamEnd {
  readonly usage: TokenUsage | undefined
  readonly events: number
  readonly cut: 'by_client' | 'by_provider' | undefined
}

export function meterStream(
  upstream: ReadableStream<Uint8Array>,
  { showUsage, onCancel, idleLimitMs = IDLE_LIMIT_MS }: { showUsage: boolean; onCancel(): void; idleLimitMs?: number },
): MeteredStream {
  const meter = createStreamUsage()
  const filter = showUsage ? undefined : createUsageFilter()
  const reader = upstream.getReader({ mode: 'byob' })
  const { promise: used, resolve } = Promise.withResolvers<StreamEnd>()
  let heardAt = Date.now()
  let waiting = false
  const watch = setInterval(
    () => {
      // Only while the provider is waited for: a client that takes its time is not the provider's silence.
      if (waiting && Date.now() - heardAt > idleLimitMs) onCancel()
    },
    Math.min(WATCH_INTERVAL_MS, idleLimitMs),
  )
  const end = (cut: StreamEnd['cut']): StreamEnd['cut'] => {
    clearInterval(watch)
    const { usage, isWhole } = meter.end()
    const known = cut ?? (isWhole ? undefined : 'by_provider')
    resolve({ usage, events: meter.events(), cut: known })
    return known
  }

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            waiting = true
            heardAt = Date.now()
            const { done, value } = await reader.read(new Uint8Array(READ_BYTES))
            waiting = false
            if (done) {
              const rest = filter?.rest()
              if (rest?.length) controller.enqueue(rest)
              if (end(undefined) === 'by_provider') controller.enqueue(brokenOff())
              return controller.close()
            }
            meter.see(value)
            const passed = filter ? filter.pass(value) : value
            if (passed.length > 0) return controller.enqueue(passed)
          }
        } catch {
          controller.enqueue(brokenOff())
          controller.close()
          end('by_provider')
        }
      },
      async cancel(reason) {
        end('by_client')
        onCancel()
        await reader.cancel(reason).catch(ignoreClosed)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, used }
}

function ignoreClosed(): void {
  // The provider's side was gone first.
}

/** An event that OpenAI's packages turn into an error, so that half an answer is not taken for a whole one. */
function brokenOff(): Uint8Array {
  const body = failureBody({ status: 502, code: 'provider_broke_off', message: 'The model broke off in its answer.' })
  return new TextEncoder().encode(`\n\ndata: ${JSON.stringify(body)}\n\n`)
}
