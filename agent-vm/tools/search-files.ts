import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

export const searchFiles = defineTool({
  name: 'search_files',
  description:
    'Search the workspace: with pattern, lines of text files that match a JavaScript regular expression, as path:line: text; with glob alone, file names. Binary files, node_modules and .git are left out.',
  input: z.object({
    pattern: z.string().min(1).max(1000).optional().describe('Regular expression, matched line by line.'),
    path: z.string().min(1).max(4096).default('.').describe('Folder or file to search in.'),
    glob: z.string().min(1).max(1000).optional().describe('Only these files, such as *.md or notes/**/*.txt.'),
    ignore_case: z.boolean().default(false),
  }),
  readsOnly: true,
  serves: withFiles,
  run: (input, context, host) => callInFolder('search_files', input, context, host),
})
