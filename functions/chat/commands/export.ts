/** /export: the whole agent as one file: personality, memory, files, conversation; no keys. */
import type { Router } from '../routing/baal-context.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

export function registerExport(router: Router): void {
  onAgentCommand(router, 'export', async ({ words, out }, agent) => {
    out.show(words.export.coming({ agent: agent.name }))
    out.add({
      kind: 'agent_file',
      agentId: agent.id,
      from: 'export',
      name: `${fileName(agent.name)}.agent.tar.gz`,
      caption: words.export.caption({ agent: agent.name }),
    })
  })
}

/** Letters and digits of any script stay; the rest would be trouble in some file system. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'agent'
}
