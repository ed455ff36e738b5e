/** A tool call in a few words, for the status above a streaming answer: `bash · git --version`. */
import { cleanInput } from './text/tidy.ts'

const MAX_LABEL_CHARS = 60
/** The argument that says most about a call, by the names tools use. */
const TELLING = ['command', 'path', 'file', 'query', 'url', 'pattern', 'task', 'name', 'prompt', 'content'] as const

export function describeTool(name: string, input: unknown): string {
  const label = [name, tellingArgument(input)].filter(Boolean).join(' · ')
  const line = cleanInput(label).replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length <= MAX_LABEL_CHARS ? line : `${characters.slice(0, MAX_LABEL_CHARS - 1).join('')}…`
}

function tellingArgument(input: unknown): string {
  if (typeof input !== 'object' || input === null) return ''
  const values = new Map(Object.entries(input))
  for (const key of TELLING) {
    const value = values.get(key)
    if (typeof value === 'string' && value.trim() !== '') return value.slice(0, 400)
  }
  return ''
}
