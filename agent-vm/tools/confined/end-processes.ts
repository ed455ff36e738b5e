/**
 * Ends a command with everything it started: its process group and session; what left both but still carries the call's mark
 * in its environment (`setsid`, `nohup`, daemons); and what shed all of that but still descends from the shell. Politely
 * first, then for good, and not before none is left.
 *
 * They are halted before each signal: whoever is halted neither forks nor dies, so what starts while we look is found by its
 * parent in the next look. What wipes its environment, opens a session of its own and lets its parent die before we look
 * escapes: nothing on the machine says any more whose it was.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CALL_MARK } from '../process/wire.ts'

/** For ending by itself; `/stop` promises one second in all. */
const POLITE_MS = 250
const CHECK_MS = 20
/** A busy machine takes its time even for SIGKILL. What is left then (waiting for a disk that is gone) nobody can end. */
const LIMIT_MS = 10_000
/** Looks that find somebody new: a chain of forks that is faster than this many is met by SIGKILL alone. */
const MAX_HALTS = 50

/** @param groupLeader pid of the command's shell, which leads its group and session */
export async function endProcesses(groupLeader: number | undefined, marks: readonly string[]): Promise<void> {
  const started = performance.now()
  const isLate = (ms: number) => performance.now() - started > ms
  const tree = new ProcessTree(groupLeader, marks)
  tree.halt()
  tree.signal('SIGTERM')
  // Those who are halted take it when they go on.
  tree.signal('SIGCONT')
  while (!isLate(POLITE_MS)) {
    if (tree.look().length === 0) return
    await sleep(CHECK_MS)
  }
  tree.halt()
  // Again and again all the same: not everybody can be halted in time.
  for (let first = true; first || !isLate(LIMIT_MS); first = false) {
    if (tree.signal('SIGKILL') === 0) return
    await sleep(CHECK_MS)
  }
}

interface Found {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** With the pid it names one process for ever: pids are used again. */
  readonly startTime: string
}

class ProcessTree {
  readonly #leader: number | undefined
  readonly #variables: readonly string[]
  readonly #known = new Set<string>()

  constructor(leader: number | undefined, marks: readonly string[]) {
    this.#leader = leader
    this.#variables = marks.map((mark) => `${CALL_MARK}=${mark}`)
  }

  /** Who belongs to it and lives. */
  look(): Found[] {
    const living = listProcesses()
    const members = living.filter((found) => this.#isMember(found))
    const childrenOf = Map.groupBy(living, ({ parent }) => parent)
    const all = new Map<number, Found>()
    for (let next = members; next.length > 0; ) {
      for (const found of next) all.set(found.pid, found)
      next = next.flatMap(({ pid }) => childrenOf.get(pid) ?? []).filter(({ pid }) => !all.has(pid))
    }
    for (const found of all.values()) this.#known.add(keyOf(found))
    return [...all.values()]
  }

  /** @returns how many took it */
  signal(signal: NodeJS.Signals): number {
    const found = this.look().filter(({ pid }) => trySignal(pid, signal))
    // Where the machine does not tell who is there.
    if (process.platform !== 'linux' && this.#leader !== undefined && trySignal(-this.#leader, signal)) return 1
    return found.length
  }

  halt(): void {
    const halted = new Set<string>()
    for (let looks = 0; looks < MAX_HALTS; looks++) {
      const fresh = this.look().filter((found) => !halted.has(keyOf(found)))
      if (fresh.length === 0) return
      for (const found of fresh) {
        halted.add(keyOf(found))
        trySignal(found.pid, 'SIGSTOP')
      }
    }
  }

  #isMember(found: Found): boolean {
    if (found.pid === this.#leader || this.#known.has(keyOf(found))) return true
    if (this.#leader !== undefined && (found.group === this.#leader || found.session === this.#leader)) return true
    if (this.#variables.length === 0) return false
    const environment = readProc(found.pid, 'environ').split('\0')
    return this.#variables.some((variable) => environment.includes(variable))
  }
}

function keyOf({ pid, startTime }: Found): string {
  return `${pid} ${startTime}`
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function listProcesses(): Found[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .flatMap(describeProcess)
}

/** Nothing for one that is gone or waits for its parent to notice its end. */
function describeProcess(pid: number): Found[] {
  // The name in parentheses may hold anything, so it is skipped from its end: `12 (a) b) S 1 …`.
  const [, state = 'X', ids = ''] = /.*\) (\S) (.*)/s.exec(readProc(pid, 'stat')) ?? []
  if (state === 'Z' || state === 'X') return []
  const fields = ids.split(' ')
  const [parent, group, session] = fields.map(Number)
  return [{ pid, parent: parent ?? 0, group: group ?? 0, session: session ?? 0, startTime: fields[18] ?? '' }]
}

function readProc(pid: number, file: 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
