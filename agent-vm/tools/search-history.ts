import { z } from 'zod'
import { defineTool, ownerOnly } from './tool.ts'

const SHOWN_CHARS = 1500

export const searchHistory = defineTool({
  name: 'search_history',
  description:
    'Search everything ever said in this chat by words, also what you no longer see. Newest first. Use it when the person refers to something you do not remember.',
  input: z.object({
    query: z.string().min(1).max(500).describe('A few words that were likely used.'),
    limit: z.int().min(1).max(50).default(10),
  }),
  readsOnly: true,
  serves: ownerOnly,
  run: async ({ query, limit }, context, { ports }) => {
    const found = await ports.searchHistory(query, context, limit)
    const lines = found.map(({ role, content, created_at: at }) => {
      const text = content.length > SHOWN_CHARS ? `${content.slice(0, SHOWN_CHARS)}…`.toWellFormed() : content
      return `[${at}] ${role}: ${text}`
    })
    const summary = `searched the history for ${query.slice(0, 60).toWellFormed()} (${found.length} found)`
    if (lines.length === 0) return { ok: true, content: '[nothing found; try other words]', summary }
    return { ok: true, content: lines.join('\n\n'), summary }
  },
})
