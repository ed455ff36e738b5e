import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('node')
/** What the project's own Node is; type stripping and `node:sqlite` need it. */
const MIN_MAJOR = 24

export function checkNode(version: string): Finding[] {
  if (Number(version.slice(1).split('.')[0]) >= MIN_MAJOR) return [ok(version)]
  return [
    fail(
      `${version} runs this, Baal needs ${MIN_MAJOR}`,
      'Run it as npm run doctor: that brings the right Node along.',
    ),
  ]
}
