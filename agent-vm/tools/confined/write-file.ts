/** Writes a whole file. */
import type { Operation } from './operation.ts'
import { replaceFile } from './replace-file.ts'

export interface WriteFileInput {
  readonly path: string
  readonly content: string
}

export const writeFile: Operation<WriteFileInput> = async ({ path, content }, { place }) => {
  const { created } = await replaceFile(place, path, content)
  const size = `${countLines(content)} lines, ${Buffer.byteLength(content)} bytes`
  const verb = created ? 'wrote' : 'replaced'
  return { ok: true, content: `${verb} ${path} (${size})`, summary: `${verb} ${path} (${countLines(content)} lines)` }
}

function countLines(text: string): number {
  if (text === '') return 0
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
