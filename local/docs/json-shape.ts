/** A JSON Schema in words: a table for an object, a line for anything else. */
export interface JsonSchema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly default?: unknown
}

export function describeShape(schema: JsonSchema): string {
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return variants.map((variant) => `- ${inWords(variant)}`).join('\n')
  if (!schema.properties) return inWords(schema)
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const isNeeded = schema.required?.includes(name) ? 'yes' : ''
    return `| \`${name}\` | ${inWords(property).replaceAll('|', '\\|')} | ${isNeeded} |`
  })
  return ['| field | | needed |', '| --- | --- | --- |', ...rows].join('\n')
}

function inWords(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return variants.map(inWords).join(', or ')
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([name, property]) => {
      const mark = schema.required?.includes(name) ? '' : '?'
      return `\`${name}${mark}\`: ${inWords(property)}`
    })
    return `{ ${fields.join('; ')} }`
  }
  if (schema.type === 'array') return `list of ${inWords(schema.items ?? {})}${limits(schema)}`
  return `${schema.format ?? schema.type ?? 'anything'}${limits(schema)}`
}

function limits({ pattern, minLength, maxLength, minimum, maximum, maxItems, ...rest }: JsonSchema): string {
  const isBound = (value: number | undefined) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER
  const parts = [
    ...(pattern && !rest.format ? [`\`${pattern}\``] : []),
    ...(isBound(minLength) ? [`at least ${minLength} characters`] : []),
    ...(isBound(maxLength) ? [`at most ${maxLength} characters`] : []),
    ...(isBound(minimum) ? [`from ${minimum}`] : []),
    ...(isBound(maximum) ? [`to ${maximum}`] : []),
    ...(isBound(maxItems) ? [`at most ${maxItems}`] : []),
    ...(rest.default !== undefined ? [`default \`${JSON.stringify(rest.default)}\``] : []),
  ]
  return parts.length > 0 ? ` (${parts.join(', ')})` : ''
}
