/** Machines in a few lines, for the operator. */
import type { MachineReport } from '../../database/machines-report.ts'
import { CREDITS_PER_USD } from '../../provision/aleph/credits.ts'
import type { Catalogue } from '../catalogue/english.ts'
import { clip } from '../catalogue/format.ts'

const HOURS_PER_DAY = 24
const MAX_NAME_POINTS = 60

/** What machines cost, and which nodes failed how often. */
export function renderMachines({ paid, creditsPerDay, failures }: MachineReport, words: Catalogue): string[] {
  const usd = (creditsPerDay / HOURS_PER_DAY / CREDITS_PER_USD).toFixed(3)
  const total = failures.reduce((sum, { count }) => sum + count, 0)
  return [
    words.admin.costs({ machines: paid, usd }),
    words.admin.failures({ count: total }),
    ...failures.map(({ node, failure, count }) => `· ${shorten(node)}: ${count} × ${failure}`),
  ]
}

export function counts(pairs: readonly (readonly [string, number])[]): string {
  return pairs.map(([name, count]) => `${count} ${name}`).join(', ')
}

export function shorten(name: string): string {
  return clip(name, MAX_NAME_POINTS)
}
