import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

/** More belongs into a program that writes it. */
const MAX_WRITTEN_CHARS = 2_000_000

export const writeFile = defineTool({
  name: 'write_file',
  description:
    'Write a whole text file of the workspace, replacing what was there; folders are made as needed. To change part of a file use edit_file.',
  input: z.object({ path: z.string().min(1).max(4096), content: z.string().max(MAX_WRITTEN_CHARS) }),
  readsOnly: false,
  serves: withFiles,
  run: (input, context, host) => callInFolder('write_file', input, context, host),
})
