/** What the doctor found out about one thing. */
export interface Finding {
  readonly part: string
  /** `warn`: works, but look at it soon. */
  readonly status: 'ok' | 'warn' | 'fail'
  /** One line, without secrets. */
  readonly line: string
  /** Absent when all is well. */
  readonly whatToDo?: string
}

/** Findings of one part. */
export function findingsOf(part: string) {
  return {
    ok: (line: string): Finding => ({ part, status: 'ok', line }),
    warn: (line: string, whatToDo: string): Finding => ({ part, status: 'warn', line, whatToDo }),
    fail: (line: string, whatToDo: string): Finding => ({ part, status: 'fail', line, whatToDo }),
  }
}
