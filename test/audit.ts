/** What `npm audit` says of the packages that are shipped. A registry that answers no audits has found nothing out. */
import { spawnSync } from 'node:child_process'
import { z } from 'zod'
import { ROOT } from '../local/settings.ts'

export type Audit =
  | { readonly kind: 'clean' }
  | { readonly kind: 'found'; readonly packages: readonly string[] }
  /** Nobody looked: the network or the registry did not answer. */
  | { readonly kind: 'unanswered'; readonly reason: string }

const SERIOUS = ['high', 'critical']
const Report = z.looseObject({
  vulnerabilities: z.record(z.string(), z.looseObject({ name: z.string(), severity: z.string() })),
})
const Failure = z.looseObject({ message: z.string().optional(), error: z.unknown().optional() })

export function auditPackages(): Audit {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  return judgeAudit(stdout ?? '')
}

/** @param stdout of `npm audit --json` */
export function judgeAudit(stdout: string): Audit {
  let answer: unknown
  try {
    answer = JSON.parse(stdout)
  } catch {
    return { kind: 'unanswered', reason: 'npm gave no report' }
  }
  const report = Report.safeParse(answer)
  if (!report.success) {
    const reason = Failure.safeParse(answer).data?.message
    return { kind: 'unanswered', reason: reason?.replace(/https?:\/\/\S+/g, '').trim() || 'npm gave no report' }
  }
  const serious = Object.values(report.data.vulnerabilities).filter(({ severity }) => SERIOUS.includes(severity))
  if (serious.length === 0) return { kind: 'clean' }
  return { kind: 'found', packages: serious.map(({ name, severity }) => `${name} (${severity})`) }
}
