import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

export const listDir = defineTool({
  name: 'list_dir',
  description: 'List a folder of the workspace: folders end with /, files come with size and time of change.',
  input: z.object({ path: z.string().min(1).max(4096).default('.') }),
  readsOnly: true,
  serves: withFiles,
  run: (input, context, host) => callInFolder('list_dir', input, context, host),
})
