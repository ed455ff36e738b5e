/**
 * `npm run bench:writes`: what one message asks of the database. Counted on the wire, between the real Worker and sqld, while
 * a person of the Telegram stand-in talks to an agent that thinks through the gateway.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createClient } from '@libsql/client/web'
import { createTestHarness } from 'wrangler'
import { z } from 'zod'
import { BOT_ID, setWebhook, startSurroundings } from '../../functions/chat/testing/delivery-harness.ts'
import { hashInferenceKey } from '../../functions/inference/agent-key.ts'
import { startModel } from '../../local/model/start-model.ts'

const CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url))
const PERSON = 1
const KEY = `bk-${'k'.repeat(40)}`

const Statement = z.looseObject({ sql: z.string().optional(), sql_id: z.int().optional() })
const Pipeline = z.object({
  requests: z.array(
    z.looseObject({
      /** A statement's text may be stored under a number first. */
      sql: z.string().optional(),
      sql_id: z.int().optional(),
      stmt: Statement.optional(),
      batch: z.object({ steps: z.array(z.object({ stmt: Statement })) }).optional(),
    }),
  ),
})

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
const model = await startModel({ port: 0, tokenDelayMs: 0, firstTokenDelayMs: 0 })
let workerUrl = ''
const around = await startSurroundings(async (turn) => {
  for (let call = 0; call < modelCalls(turn.request.message); call++) await askModel()
  await turn.say(`done ${turn.request.message}`)
})
/** Every request that went to the database: its statements. */
const seen: string[][] = []
const proxy = createServer(async (request, response) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  seen.push(statementsIn(body.toString()))
  const answer = await fetch(new URL(request.url ?? '/', around.sqld.url), {
    method: request.method ?? 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.arrayBuffer()))
})
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
const LIBSQL_URL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
const vars = { ...around.variables, LIBSQL_URL, LIBERTAI_BASE_URL: `${model.url}/v1` }
const worker = createTestHarness({ workers: [{ configPath: CONFIG, vars }] })
workerUrl = (await worker.listen()).url.href
await setWebhook(around.telegram, new URL(`/telegram/${BOT_ID}`, workerUrl).href)
const database = createClient({ url: around.sqld.url })
await database.execute({ sql: 'UPDATE agents SET inference_key_hash = ?', args: [hashInferenceKey(KEY)] })

const { sim } = around.telegram
sim.addPerson({ id: PERSON, first_name: 'Ann' })
sim.start(PERSON)
await hears('You have 1 agent')
const [greeting] = sim.messages(PERSON).filter(({ reply_markup }) => reply_markup)
sim.press(PERSON, PERSON, greeting?.message_id ?? 0, {
  text: greeting?.reply_markup?.inline_keyboard[0]?.[0]?.text ?? '',
})
await hears('talking to')
await quiet()

for (const calls of [1, 2, 5]) {
  seen.length = 0
  sim.sendText({ from: PERSON }, `think ${calls}`)
  await hears(`done think ${calls}`)
  await quiet()
  const writes = seen.filter((statements) => statements.some((sql) => /^\s*(WITH|INSERT|UPDATE|DELETE)/i.test(sql)))
  const rows = await database.execute('SELECT count(*) AS n FROM metrics')
  console.log(
    `a message with ${calls} model calls: ${seen.length} requests, of them ${writes.length} that write (${writes.flat().filter((sql) => !/^(BEGIN|COMMIT|ROLLBACK)/.test(sql)).length} statements); ${rows.rows[0]?.n} counters`,
  )
}
await worker.close()
proxy.closeAllConnections()
proxy.close()
await model.close()
await around.close()

function modelCalls(message: string): number {
  return Number(/think (\d+)/.exec(message)?.[1] ?? 0)
}

async function askModel(): Promise<void> {
  const response = await fetch(new URL('/v1/chat/completions', workerUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'qwen3-coder-next', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  })
  if (!response.ok) throw new Error(await response.text())
  await response.text()
}

function statementsIn(body: string): string[] {
  const { requests } = Pipeline.parse(JSON.parse(body))
  const stored = new Map(requests.flatMap(({ sql, sql_id }) => (sql && sql_id !== undefined ? [[sql_id, sql]] : [])))
  const textOf = ({ sql, sql_id }: z.infer<typeof Statement>) => sql ?? stored.get(sql_id ?? -1) ?? ''
  return requests
    .flatMap(({ stmt, batch }) => [...(stmt ? [stmt] : []), ...(batch?.steps.map((step) => step.stmt) ?? [])])
    .map(textOf)
}

async function hears(words: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!sim.messages(PERSON).some(({ text }) => text?.includes(words))) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${words}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Until nothing has gone to the database for a while: counts are written when a chat has come to rest. */
async function quiet(): Promise<void> {
  for (let before = -1; before !== seen.length; ) {
    before = seen.length
    await new Promise((resolve) => setTimeout(resolve, 3_000))
  }
}
