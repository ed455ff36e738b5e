/**
 * One JSON line per event on standard error: what happened and the ids it concerns. Never content, keys or prompts; values
 * under names that sound secret are dropped even so.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>
export type LogLevel = 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

const SECRET_NAME = /token|secret|key|authorization|password|prompt|content|text/i

export const log: Log = (level, event, fields = {}) => {
  const safe = Object.fromEntries(Object.entries(fields).filter(([name]) => !SECRET_NAME.test(name)))
  process.stderr.write(`${JSON.stringify({ level, event, ...safe })}\n`)
}

/** Name, code and causes of a failure, for the log. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let current = error; current !== undefined && parts.length < 5; ) {
    if (!(current instanceof Error)) {
      parts.push(typeof current)
      break
    }
    const code = 'code' in current ? ` [${String(current.code)}]` : ''
    parts.push(`${current.name}${code}: ${current.message}`)
    current = current.cause
  }
  return parts.join(' < ').slice(0, 1000)
}
