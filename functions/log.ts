/**
 * One structured line per event: what happened and the ids it concerns. Never content, keys, prompts or addresses with a
 * query; values under names that sound secret are dropped even so.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

const SECRET_NAME = /token|secret|key|authorization|password|prompt|content|text/i
const BOT_TOKEN = /\d{6,}:[\w-]{20,}/g

export function log(level: 'info' | 'warn' | 'error', event: string, fields: LogFields = {}): void {
  const safe = Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !SECRET_NAME.test(name))
      .map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]),
  )
  console[level](JSON.stringify({ event, ...safe }))
}

/** Name, code and causes of a failure, for the log. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let current: unknown = error; current !== undefined && parts.length < 5; ) {
    if (!(current instanceof Error)) {
      parts.push(typeof current)
      break
    }
    const code = 'code' in current ? ` [${String(current.code)}]` : ''
    parts.push(`${current.name}${code}: ${current.message}`)
    current = current.cause
  }
  return redact(parts.join(' < ')).slice(0, 1000)
}

function redact(text: string): string {
  return text.replace(BOT_TOKEN, '[bot token]').replace(/\?[^\s"']+/g, '?[query]')
}
