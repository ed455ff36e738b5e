/**
 * Ends a command with everything it started: its process group; what left that group but still carries the call's mark in its
 * environment (`setsid`, `nohup`, daemons); and what shed both but still descends from the shell. Politely first, then for
 * good, within `END_MS`.
 *
 * What wipes its environment, opens a session of its own and lets its parent die escapes: nothing on the machine says any more
 * whose it was.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CALL_MARK } from '../process/wire.ts'

/** From the request to the last process: `/stop` promises one second in all. */
const END_MS = 700
const POLITE_MS = 250
const CHECK_MS = 20
/** However late it is: on a busy machine one look at all processes can take longer than all the time there is. */
const MIN_KILLS = 3

/** @param groupLeader pid of the command's shell, which leads its group */
export async function endProcesses(groupLeader: number | undefined, marks: readonly string[]): Promise<void> {
  const started = performance.now()
  const isLate = (ms: number) => performance.now() - started > ms
  // Looked up before the first one dies: orphans are nobody's descendants.
  const descendants = new Set(groupLeader === undefined ? [] : findDescendants(groupLeader))
  const signalAll = (signal: NodeJS.Signals | 0): number => {
    for (const pid of [...descendants].flatMap(findDescendants)) descendants.add(pid)
    const others = new Set([...findMarked(marks), ...descendants])
    const isGroup = groupLeader !== undefined && trySignal(-groupLeader, signal)
    return [...others].filter((pid) => trySignal(pid, signal)).length + (isGroup ? 1 : 0)
  }
  signalAll('SIGTERM')
  // A stopped process does not take SIGTERM before it goes on.
  signalAll('SIGCONT')
  while (!isLate(POLITE_MS)) {
    if (signalAll(0) === 0) return
    await sleep(CHECK_MS)
  }
  // Again and again: a process may fork between the look and the signal.
  for (let kills = 0; kills < MIN_KILLS || !isLate(END_MS); kills++) {
    if (signalAll('SIGKILL') === 0) return
    await sleep(CHECK_MS)
  }
}

function trySignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Processes of our own user whose environment carries one of the marks. */
function findMarked(marks: readonly string[]): number[] {
  const wanted = marks.map((mark) => `${CALL_MARK}=${mark}`)
  return listProcesses().filter((pid) => {
    const environment = readProc(pid, 'environ').split('\0')
    return wanted.some((variable) => environment.includes(variable))
  })
}

/** Children, their children, and so on. */
function findDescendants(ancestor: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const pid of listProcesses()) {
    // The name in parentheses may hold anything, so it is skipped from its end: `12 (a) b) S 1 …`.
    const parent = Number(/.*\) \S (\d+)/s.exec(readProc(pid, 'stat'))?.[1])
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid])
  }
  const found: number[] = []
  for (let next = childrenOf.get(ancestor) ?? []; next.length > 0; ) {
    found.push(...next)
    next = next.flatMap((pid) => childrenOf.get(pid) ?? [])
  }
  return found
}

function listProcesses(): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
}

function readProc(pid: number, file: 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
