/**
 * The protocol pages, rendered from what the programs check every message with: the zod schemas, and the comments above them.
 * Only the list of routes is written by hand, beside the schemas that each of them names.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import * as agent from '../../agent-vm/protocol.ts'
import * as runner from '../../deploy-runner/protocol.ts'
import { ROOT } from '../settings.ts'
import { describeShape, type JsonSchema } from './json-shape.ts'

interface Page {
  readonly file: string
  readonly title: string
  readonly source: string
  readonly exports: Readonly<Record<string, unknown>>
  /** Route, who may call, what goes in, what comes out. */
  readonly routes: readonly (readonly [string, string, string, string])[]
}

const OWNER = 'bearer `AGENT_SECRET`'
const SIGNED = 'signed call'

const PAGES: readonly Page[] = [
  {
    file: 'docs/protocol/agent-server.md',
    title: 'Protocol: agent server',
    source: 'agent-vm/protocol.ts',
    exports: agent,
    routes: [
      ['`POST /chat`', OWNER, '`ChatRequest`', '`text/event-stream` of `AgentEvent`; `Last-Event-ID` replays'],
      ['`POST /chat/:chat_id/steer`', OWNER, '`SteerRequest`', '`{"status":"ok"}`, or 409 when nothing runs'],
      ['`POST /chat/:chat_id/stop`', OWNER, '`StopRequest`, or nothing', '`StopResponse`'],
      ['`POST /chat/:chat_id/compact`', OWNER, '–', '`CompactResponse`'],
      ['`DELETE /chat/:chat_id`', OWNER, '–', '`ClearResponse`'],
      ['`GET /pending?after=id`', OWNER, '–', '`PendingResponse`'],
      ['`POST /pending/ack`', OWNER, '`PendingAck`', '`{"status":"ok"}`'],
      ['`GET /schedules?chat_id=`', OWNER, '–', '`SchedulesResponse`'],
      ['`DELETE /schedules/:id?chat_id=`', OWNER, '–', '`{"status":"ok"}`, or 404'],
      ['`GET /files?dir=`', OWNER, '–', '`FilesResponse`'],
      ['`GET /files/*path`', OWNER, '–', 'the file, streamed'],
      ['`PUT /files/*path`', OWNER, 'the file, streamed', '`{"status":"ok"}`'],
      ['`PUT /config`', OWNER, '`ConfigUpdate`', '–'],
      ['`GET /export`', OWNER, '–', 'one tar.gz'],
      ['`POST /import`', OWNER, 'one tar.gz', '`ImportResponse`'],
      ['`GET /health`', 'anyone', '–', '`AgentHealth`'],
    ],
  },
  {
    file: 'docs/protocol/deploy-runner.md',
    title: 'Protocol: deploy-runner',
    source: 'deploy-runner/protocol.ts',
    exports: runner,
    routes: [
      ['`POST /machines/probe`', SIGNED, '`ProbeRequest`', 'NDJSON of `RunnerLine`'],
      ['`POST /machines/prepare`', SIGNED, '`PrepareRequest`', 'NDJSON of `RunnerLine`'],
      ['`POST /machines/deploy`', SIGNED, '`DeployRequest`', 'NDJSON of `RunnerLine`'],
      ['`POST /machines/settle`', SIGNED, '`SettleRequest`', 'NDJSON of `RunnerLine`'],
      ['`POST /machines/wipe`', SIGNED, '`WipeRequest`', 'NDJSON of `RunnerLine`'],
      ['`POST /machines/rekey`', SIGNED, '`RekeyRequest`', 'NDJSON of `RunnerLine`'],
      ['`GET /health`', 'anyone', '–', '`RunnerHealth`'],
    ],
  },
]

/** @returns path and text of each page */
export async function renderProtocolPages(): Promise<Map<string, string>> {
  const pages = PAGES.map(async (page) => [page.file, await renderPage(page)] as const)
  return new Map(await Promise.all(pages))
}

async function renderPage({ title, source, exports, routes }: Page): Promise<string> {
  const text = await readFile(join(ROOT, source), 'utf8')
  // By name: the order of a module's exports depends on who loads it.
  const entries = Object.entries(exports).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const schemas = entries.filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType)
  const constants = entries.filter(([, value]) => typeof value === 'number' || typeof value === 'string')
  return [
    `# ${title}`,
    `Rendered from [\`${source}\`](../../${source}) by \`npm run docs\`; a test fails when the two differ. ${headOf(text)}`,
    table(['route', 'who', 'takes', 'gives'], routes),
    '## Constants',
    table(
      ['name', 'value', ''],
      constants.map(([name, value]) => [`\`${name}\``, `\`${value}\``, commentOf(text, name)]),
    ),
    ...schemas.flatMap(([name, schema]) => {
      const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
      return [`## \`${name}\``, commentOf(text, name), describeShape(shape)]
    }),
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n')
}

/** What the file says of itself, without what is for its importers. */
function headOf(text: string): string {
  const lines = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]?.split('\n') ?? []
  const paragraphs = lines
    .map((line) => line.replace(/^ \* ?/, '').trim())
    .join('\n')
    .trim()
    .split('\n\n')
  return paragraphs.slice(1).join(' ').replaceAll('\n', ' ')
}

/** The comment right above an export. */
function commentOf(text: string, name: string): string {
  const match = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*?)\\*/\\nexport const ${name}\\b`).exec(text)
  return (match?.[1] ?? '')
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, '').trim())
    .join(' ')
    .trim()
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
