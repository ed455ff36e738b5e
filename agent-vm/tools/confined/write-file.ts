/** Writes a whole file. */
import type { Operation } from './operation.ts'
import { replaceFile } from './replace-file.ts'

export interface WriteFileInput {
  readonly path: string
  readonly content: string
}

export const writeFile: Operation<WriteFileInput> = async ({ path, content }, { place }) => {
  const { created } = await replaceFile(place, path, content)
  const lines = describeLines(content)
  const verb = created ? 'wrote' : 'replaced'
  const size = `${lines}, ${Buffer.byteLength(content)} bytes`
  return { ok: true, content: `${verb} ${path} (${size})`, summary: `${verb} ${path} (${lines})` }
}

function describeLines(text: string): string {
  const count = text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return count === 1 ? '1 line' : `${count} lines`
}
