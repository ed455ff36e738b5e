/**
 * /memory: what an agent remembers, to see, rewrite (`/memory edit`) or forget (`/memory forget`, answered by
 * `/memory forget yes`). It lies in a file of its workspace.
 */
import type { Agent } from '../../database/agents.ts'
import { MAX_MEMORY_BYTES, MEMORY_FILE } from '../agents/memory-file.ts'
import { clip, fmt, longQuote } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, onAgentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { startEdit } from '../wizard/edit-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'

const SHOWN_POINTS = 3000

export function registerMemory(router: Router): void {
  onAgentCommand(router, 'memory', memoryCommand, { takesArgument: true })
  onAgentButton(router, 'remember', rewrite)
  onAgentButton(router, 'forget', confirmForget)
  onAgentButton(router, 'forget!', forget)
}

async function memoryCommand(ctx: BaalContext, agent: Agent, typed: string): Promise<void> {
  const wanted = typed.trim().toLowerCase().replace(/\s+/g, ' ')
  if (wanted === 'forget yes') return forget(ctx, agent)
  if (wanted === 'forget') return confirmForget(ctx, agent)
  return wanted === 'edit' ? rewrite(ctx, agent) : showMemory(ctx, agent)
}

async function rewrite(ctx: BaalContext, agent: Agent): Promise<void> {
  openWizard(ctx, startEdit(wizardOwner(ctx), { agentId: agent.id, agentName: agent.name, field: 'memory' }))
}

async function confirmForget({ words, out }: BaalContext, agent: Agent): Promise<void> {
  out.show(words.memory.confirmForget({ agent: agent.name }), [
    [agentButton(words.buttons.forgetConfirm, 'forget!', agent.id, 'danger')],
    [agentButton(words.buttons.back, 'memory', agent.id)],
  ])
}

async function forget({ ports, words, out }: BaalContext, agent: Agent): Promise<void> {
  await (await ports.agent(agent.id)).writeText(MEMORY_FILE, '')
  out.show(words.memory.forgotten, [[agentButton(words.buttons.back, 'memory', agent.id)]])
}

async function showMemory({ ports, words, out }: BaalContext, agent: Agent): Promise<void> {
  const control = await ports.agent(agent.id)
  const memory = withoutTemplate((await control.readText(MEMORY_FILE, MAX_MEMORY_BYTES)) ?? '')
  const { memory: text, buttons } = words
  const body = memory ? longQuote(clip(memory, SHOWN_POINTS)) : text.empty
  const whole = [...memory].length > SHOWN_POINTS
  if (whole) out.add({ kind: 'agent_file', agentId: agent.id, from: { path: MEMORY_FILE }, name: 'MEMORY.md' })
  out.show(fmt`${text.title({ agent: agent.name })}\n\n${body}`, [
    memory
      ? [agentButton(buttons.edit, 'remember', agent.id), agentButton(buttons.forget, 'forget', agent.id)]
      : [agentButton(buttons.write, 'remember', agent.id)],
    [agentButton(buttons.back, 'card', agent.id)],
  ])
}

/** Remarks for the agent are nothing that it remembers, and headings alone are nothing either. */
function withoutTemplate(markdown: string): string {
  const text = markdown
    .replace(/<!--.*?(?:-->|$)/gs, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  return text.split('\n').every((line) => line.trim() === '' || line.startsWith('#')) ? '' : text
}
