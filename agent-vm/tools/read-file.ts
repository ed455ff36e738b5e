import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

export const readFile = defineTool({
  name: 'read_file',
  description:
    'Read a text file of the workspace. Lines come numbered; the numbers are not part of the file. For a long file give offset and limit. Binary files are refused with a hint.',
  input: z.object({
    path: z.string().min(1).max(4096),
    offset: z.int().min(1).max(1_000_000_000).default(1).describe('First line, counted from 1.'),
    limit: z.int().min(1).max(5000).default(1000).describe('Number of lines.'),
  }),
  readsOnly: true,
  serves: withFiles,
  run: (input, context, host) => callInFolder('read_file', input, context, host),
})
