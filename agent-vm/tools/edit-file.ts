import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

export const editFile = defineTool({
  name: 'edit_file',
  description:
    'Replace a passage in a text file. old_text must be exactly what the file holds, white space included and without line numbers, and must occur once; replace_all changes every occurrence.',
  input: z.object({
    path: z.string().min(1).max(4096),
    old_text: z.string().min(1).max(1_000_000),
    new_text: z.string().max(1_000_000),
    replace_all: z.boolean().default(false),
  }),
  readsOnly: false,
  serves: withFiles,
  run: (input, context, host) => callInFolder('edit_file', input, context, host),
})
