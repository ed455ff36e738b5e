/**
 * The head of a SKILL.md: front matter with `name` and `description` (the open convention), or without it a first line of
 * plain text, with or without a heading mark. Pure.
 */
const MAX_NAME_CHARS = 64
const MAX_DESCRIPTION_CHARS = 400

export interface SkillHead {
  readonly name: string
  readonly description: string
}

/** @param folder names a skill that does not name itself */
export function parseSkill(text: string, folder: string): SkillHead {
  const body = text.replace(/^\u{feff}/u, '')
  const front = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(body)
  const fields = front ? parseFields(front[1] ?? '') : {}
  const rest = front ? body.slice(front[0].length) : body
  return {
    name: oneLine(fields.name || folder, MAX_NAME_CHARS),
    description: oneLine(fields.description || firstLine(rest) || 'no description', MAX_DESCRIPTION_CHARS),
  }
}

/** The little of YAML that heads use: `key: value`, quoted or not, and values that go on in indented lines (`>` and `|` too). */
function parseFields(front: string): Record<string, string> {
  const fields: Record<string, string> = {}
  let current: string | undefined
  for (const line of front.split(/\r?\n/)) {
    const field = /^([A-Za-z_][\w-]*)\s*:\s*(.*)$/.exec(line)
    if (field) {
      current = (field[1] ?? '').toLowerCase()
      fields[current] = /^[>|][+-]?\d?$/.test(field[2] ?? '') ? '' : unquote(field[2] ?? '')
    } else if (current !== undefined && /^\s+\S/.test(line)) {
      fields[current] = `${fields[current]} ${line.trim()}`.trim()
    }
  }
  return fields
}

function unquote(value: string): string {
  const text = value.trim()
  const quoted = /^"([\s\S]*)"$|^'([\s\S]*)'$/.exec(text)
  if (quoted?.[1] !== undefined) return quoted[1].replace(/\\(["\\])/g, '$1')
  if (quoted?.[2] !== undefined) return quoted[2].replace(/''/g, "'")
  return text
}

function firstLine(text: string): string {
  const line = text.split('\n').find((each) => each.trim() !== '') ?? ''
  return line.replace(/^#+\s*/, '')
}

function oneLine(text: string, maxChars: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`.toWellFormed()
}
