import { z } from 'zod'
import { sessionFolder } from './session-folder.ts'
import { defineTool, everybody } from './tool.ts'

export const listDir = defineTool({
  name: 'list_dir',
  description: 'List a folder of the workspace: folders end with /, files come with size and time of change.',
  input: z.object({ path: z.string().min(1).max(4096).default('.') }),
  readsOnly: true,
  serves: everybody,
  run: (input, context, host) =>
    host.process.call({ operation: 'list_dir', input, folder: sessionFolder(context), signal: context.signal }),
})
