/** Which compute node to pin an instance to: only those that can carry it, the best first, but not everybody the same one. */
import type { Crn } from './crn-list.ts'

/** Port forwarding came with it. */
const MIN_VERSION = [1, 6] as const
const MEMORY_HEADROOM = 1.2
/** So much of the score is chance: nodes of equal worth share the load. */
const JITTER = 0.1
const KIB_PER_MIB = 1_024

export interface Need {
  readonly memoryMib: number
  readonly diskMib: number
}

/**
 * @param blocked hashes of nodes that failed lately
 * @param random 0 to 1, asked once per node
 * @returns `undefined` when no node will do
 */
export function chooseCrn(
  crns: readonly Crn[],
  need: Need,
  { blocked, random }: { blocked: ReadonlySet<string>; random: () => number },
): Crn | undefined {
  const scored = crns
    .filter((crn) => canCarry(crn, need) && !blocked.has(crn.hash))
    .map((crn) => ({ crn, score: scoreOf(crn) + random() * JITTER }))
  return scored.toSorted((one, other) => other.score - one.score)[0]?.crn
}

function canCarry(crn: Crn, { memoryMib, diskMib }: Need): boolean {
  const usage = crn.system_usage
  return (
    crn.status === 'linked' &&
    !crn.inactive_since &&
    crn.qemu_support === true &&
    // The gateway reaches instances by IPv6 only.
    crn.ipv6_check?.host === true &&
    crn.ipv6_check.vm &&
    // Whoever has terms wants them accepted by a person.
    !crn.terms_and_conditions &&
    isNewEnough(crn.version ?? '') &&
    usage?.active === true &&
    usage.mem.available_kB >= memoryMib * MEMORY_HEADROOM * KIB_PER_MIB &&
    usage.disk.available_kB >= diskMib * KIB_PER_MIB
  )
}

/** The network's own score, less what its processors are busy with. */
function scoreOf({ score, system_usage: usage }: Crn): number {
  const load = usage?.cpu.load_average?.load5 ?? 0
  return score - Math.min(1, load / Math.max(1, usage?.cpu.count ?? 1)) / 4
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1])
}
