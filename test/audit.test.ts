import { expect, test } from 'vitest'
import { judgeAudit } from './audit.ts'

test('an audit without findings is clean, small ones included', () => {
  expect(judgeAudit('{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}')).toEqual({ kind: 'clean' })
  const low = { vulnerabilities: { a: { name: 'a', severity: 'low' } } }
  expect(judgeAudit(JSON.stringify(low))).toEqual({ kind: 'clean' })
})

test('a high or critical finding is named', () => {
  const vulnerabilities = {
    tar: { name: 'tar', severity: 'critical', via: [] },
    ws: { name: 'ws', severity: 'high' },
    x: { name: 'x', severity: 'moderate' },
  }
  expect(judgeAudit(JSON.stringify({ vulnerabilities }))).toEqual({
    kind: 'found',
    packages: ['tar (critical)', 'ws (high)'],
  })
})

test('a registry that answers no audits has not said that all is well', () => {
  const refused = {
    message: '405 Method Not Allowed - POST https://registry.example/-/npm/v1/security',
    method: 'POST',
  }
  expect(judgeAudit(JSON.stringify(refused))).toEqual({ kind: 'unanswered', reason: '405 Method Not Allowed - POST' })
  for (const odd of ['', 'ENOTFOUND', '[]', '{"error":{"code":"ENOAUDIT"}}'])
    expect(judgeAudit(odd)).toMatchObject({ kind: 'unanswered' })
})
