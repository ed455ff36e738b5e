/**
 * `npm run bench:gateway`: what the inference gateway adds to each event of a stream, beside the provider asked directly and
 * beside a Worker that only forwards, all in one run and in turns. The provider writes its clock into every event.
 */
import { fileURLToPath } from 'node:url'
import { unstable_startWorker as startWorker } from 'wrangler'
import { startGateway } from '../../functions/inference/testing/gateway-harness.ts'
import {
  beginStream,
  endStream,
  type FakeProvider,
  sendChunk,
} from '../../functions/inference/testing/provider.fake.ts'

const ROUNDS = 12
/** As fast as models write: 100 tokens a second. */
const PACED_EVENTS = 100
const PACED_MS = 10
/** All at once: what one event costs in time of the machine. */
const BURST_EVENTS = 5_000
const STREAMS = 50

interface Way {
  readonly name: string
  readonly url: string
  readonly key: string
}

// As everywhere in local runs: workerd asks nobody outside what the client's request looks like.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
const gateway = await startGateway({ AGENT_DAILY_REQUESTS: '100000' }, { ownNetwork: true })
const forwarding = await startWorker({
  config: fileURLToPath(new URL('forwarding-worker/wrangler.toml', import.meta.url)),
  bindings: { TARGET: { type: 'plain_text', value: gateway.provider.url } },
  dev: { server: { hostname: '127.0.0.1', port: 0 }, inspector: false, watch: false, logLevel: 'none' },
})
try {
  await forwarding.ready
  const key = await gateway.addAgent({ id: 'bench' })
  const direct = { name: 'direct', url: `${gateway.provider.url}/v1`, key }
  const forwarded = { name: 'forwarding Worker', url: new URL('/v1', await forwarding.url).href, key }
  const ways = [direct, forwarded, { name: 'gateway', url: gateway.baseUrl, key }]
  for (const way of ways) await readStream(way, gateway.provider, { events: 10, everyMs: 0 })
  console.table(await measurePaced(ways))
  console.table(await measureBursts(ways))
  console.table(await measureMany(ways))
} finally {
  await forwarding.dispose()
  await gateway.close()
}

async function measurePaced(ways: readonly Way[]) {
  const delays = new Map(ways.map(({ name }) => [name, { events: [] as number[], first: [] as number[] }]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      const read = await readStream(way, gateway.provider, { events: PACED_EVENTS, everyMs: PACED_MS })
      delays.get(way.name)?.events.push(...read.delaysMs)
      delays.get(way.name)?.first.push(read.firstMs)
    }
  }
  return [...delays].map(([way, { events, first }]) => ({
    way,
    'events 10 ms apart': events.length,
    'delay of one p50 (ms)': quantile(events, 0.5),
    'p95 (ms)': quantile(events, 0.95),
    'request to first event p50 (ms)': quantile(first, 0.5),
  }))
}

async function measureBursts(ways: readonly Way[]) {
  const spans = new Map(ways.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      const read = await readStream(way, gateway.provider, { events: BURST_EVENTS, everyMs: 0 })
      spans.get(way.name)?.push(read.tookMs)
    }
  }
  const plain = quantile(spans.get('direct') ?? [], 0.5)
  return [...spans].map(([way, took]) => ({
    way,
    'events at once': BURST_EVENTS,
    'stream takes p50 (ms)': quantile(took, 0.5),
    'added per event (µs)': Math.round(((quantile(took, 0.5) - plain) / BURST_EVENTS) * 1_000),
  }))
}

async function measureMany(ways: readonly Way[]) {
  const rows = []
  for (const way of ways) {
    const reads = await Promise.all(
      Array.from({ length: STREAMS }, () =>
        readStream(way, gateway.provider, { events: PACED_EVENTS, everyMs: PACED_MS }),
      ),
    )
    const delays = reads.flatMap(({ delaysMs }) => delaysMs)
    rows.push({
      way,
      'streams at once': STREAMS,
      'events read': delays.length,
      'delay of one p50 (ms)': quantile(delays, 0.5),
      'p95 (ms)': quantile(delays, 0.95),
    })
  }
  return rows.map(({ way, ...rest }) => ({ way: way.name, ...rest }))
}

async function readStream(way: Way, provider: FakeProvider, { events, everyMs }: { events: number; everyMs: number }) {
  provider.next(async (response) => {
    beginStream(response)
    for (let sent = 0; sent < events; sent++) {
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
      sendChunk(response, `@${performance.now()}@`)
    }
    endStream(response, true)
  })
  const askedAt = performance.now()
  const response = await fetch(`${way.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${way.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'qwen3-coder-next',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      stream_options: { include_usage: true },
    }),
  })
  const delaysMs: number[] = []
  let firstMs = 0
  let open = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    const now = performance.now()
    firstMs ||= now - askedAt
    open += decoder.decode(chunk, { stream: true })
    const lines = open.split('\n\n')
    open = lines.pop() ?? ''
    for (const [, sentAt] of lines.join().matchAll(/@([\d.]+)@/g)) delaysMs.push(now - Number(sentAt))
  }
  if (delaysMs.length !== events) throw new Error(`${way.name}: ${delaysMs.length} of ${events} events arrived`)
  return { delaysMs, firstMs, tookMs: performance.now() - askedAt }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 100) / 100
}
