/** What a chat's keyboard markup says; it came checked from the server and is only read here. */
export interface Key {
  readonly text: string
  readonly style?: string
  readonly asks?: 'contact' | 'location'
}

export function keyboardRows(markup: unknown): Key[][] {
  const rows = field(markup, 'keyboard')
  if (!Array.isArray(rows)) return []
  return rows.map((row) => (Array.isArray(row) ? row.map(readKey) : []))
}

function readKey(key: unknown): Key {
  if (typeof key === 'string') return { text: key }
  const style = field(key, 'style')
  const asks = field(key, 'request_contact') ? 'contact' : field(key, 'request_location') ? 'location' : undefined
  return {
    text: String(field(key, 'text') ?? ''),
    ...(typeof style === 'string' ? { style } : {}),
    ...(asks ? { asks } : {}),
  }
}

export function isOneTime(markup: unknown): boolean {
  return field(markup, 'one_time_keyboard') === true
}

export function isForceReply(markup: unknown): boolean {
  return field(markup, 'force_reply') === true
}

export function placeholder(markup: unknown): string | undefined {
  const text = field(markup, 'input_field_placeholder')
  return typeof text === 'string' && text ? text : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
