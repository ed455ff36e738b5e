import { z } from 'zod'
import { defineTool } from './tool.ts'

export const spawn = defineTool({
  name: 'spawn',
  description:
    'Start a helper that works on a longer task in the background while you go on talking. It has your tools and files but knows nothing of this conversation: put everything it needs into the task. Its result is sent to the person by itself when it is done; do not wait for it.',
  input: z.object({
    task: z
      .string()
      .min(1)
      .max(20_000)
      .describe('What to do, with all facts, paths and what the result should look like.'),
  }),
  readsOnly: false,
  // Only a person's own message starts one: background work that starts more of itself would never end.
  serves: ({ user, origin }) => user.role === 'owner' && origin === 'chat',
  run: async ({ task }, context, { ports }) => {
    const id = await ports.spawnSubagent(task, context)
    return {
      ok: true,
      content: `Started in the background as ${id}. Its result will be sent to the person. Tell them that it is under way.`,
      summary: `started ${id} in the background`,
    }
  },
})
