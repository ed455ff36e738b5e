/** What the agent bench measures of one server. Times are in milliseconds, memory in MB. */
import { readdirSync, readFileSync } from 'node:fs'
import { ANSWER_END, type BenchModel } from './agent-model.ts'
import { type RunningServer, SECRET } from './agent-servers.ts'

const TICK_MS = 10

export interface Memory {
  /** Resident memory of all processes of the server, added up: what they share counts once for each. */
  readonly rss: number
  /** The same with shared pages counted once: what the machine has less of. */
  readonly pss: number
  readonly processes: number
}

/** One turn from the request to the end of its stream. @throws when the answer is not the model's */
export async function runTurn(server: RunningServer, chatId: string, message: string): Promise<number> {
  const startedAt = performance.now()
  const response = await fetch(`${server.url}/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message, chat_id: chatId }),
  })
  const text = await response.text()
  const took = performance.now() - startedAt
  if (!response.ok || !text.includes(`${ANSWER_END}"`)) throw new Error(`${response.status} ${text.slice(-500)}`)
  return took
}

export async function timeTurns(
  server: RunningServer,
  chatId: string,
  count: number,
  message: (turn: number) => string,
): Promise<number[]> {
  const times: number[] = []
  for (let turn = 0; turn < count; turn++) times.push(await runTurn(server, chatId, message(turn)))
  return times
}

/** CPU milliseconds that the server and all it started have used so far. Unlike times, these bear a busy machine. */
export function readCpuMs(pid: number): number {
  return familyOf(pid)
    .map((member) => readFileSync(`/proc/${member}/stat`, 'utf8').replace(/.*\) /s, '').split(' '))
    .reduce((total, fields) => total + fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS, 0)
}

/** @returns the share of each request that repeats the one before it, over all of them */
export async function measurePrefix(server: RunningServer, model: BenchModel, turns: number) {
  model.takePrompts()
  await timeTurns(server, 'prefix', turns, (turn) => {
    const note = JSON.stringify({ path: 'memory/MEMORY.md', content: `# Memory\n- fact of turn ${turn}\n` })
    return turn % 10 === 5 ? `call write_file ${note}` : `What about matter ${turn}?`
  })
  const prompts = model.takePrompts()
  let kept = 0
  let before = 0
  for (const [index, prompt] of prompts.entries()) {
    const previous = prompts[index - 1]
    if (previous === undefined) continue
    kept += commonLength(previous, prompt)
    before += previous.length
  }
  return { reuse: kept / before, requests: prompts.length }
}

/** @returns milliseconds of each turn; a failed one throws */
export async function runChatsAtOnce(server: RunningServer, chats: number, turns: number): Promise<number[]> {
  const all = Array.from({ length: chats }, (_, chat) =>
    timeTurns(server, `crowd-${chat}`, turns, (turn) =>
      turn % 2 === 0 ? `Hello number ${turn}` : `call read_file {"path": "crowd.txt"}`,
    ),
  )
  return (await Promise.all(all)).flat()
}

export function readMemory(pid: number): Memory {
  const family = familyOf(pid)
  const rollups = family.map((member) => readFileSync(`/proc/${member}/smaps_rollup`, 'utf8'))
  const sum = (name: string) =>
    rollups.reduce((total, text) => total + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]), 0) / 1024
  return { rss: sum('Rss'), pss: sum('Pss'), processes: family.length }
}

/** The process and everything it started. */
function familyOf(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))]
}

function parentOf(pid: string): number {
  try {
    return Number(/.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return -1
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

function commonLength(one: string, other: string): number {
  const most = Math.min(one.length, other.length)
  for (let at = 0; at < most; at++) if (one[at] !== other[at]) return at
  return most
}
