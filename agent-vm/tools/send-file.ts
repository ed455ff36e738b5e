import { z } from 'zod'
import { callInFolder } from './call-in-folder.ts'
import { defineTool, withFiles } from './tool.ts'

export const sendFile = defineTool({
  name: 'send_file',
  description:
    'Send a file of the workspace to the person in the chat (at most 50 MB). They cannot open paths: this is the only way to hand over a file.',
  input: z.object({
    path: z.string().min(1).max(4096),
    caption: z.string().max(1000).optional().describe('A short line shown with the file.'),
  }),
  readsOnly: false,
  serves: withFiles,
  run: (input, context, host) => callInFolder('send_file', input, context, host),
})
