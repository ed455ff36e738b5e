/**
 * /schedule: what the agent has planned in this chat, each with a button to cancel it (`/schedule cancel 3` does it too).
 * `/schedule <what>` makes a plan: the agent reads the words and asks back, so it is the agent that is asked.
 */
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import { talk } from '../agents/talk.ts'
import { clip, fmt, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

/** A screen's worth of buttons. */
const SHOWN = 20
const SHOWN_POINTS = 160

export function registerSchedule(router: Router): void {
  onAgentCommand(
    router,
    'schedule',
    async (ctx, agent, typed) => {
      const [, id] = /^cancel\s+(\d{1,9})$/i.exec(typed) ?? []
      if (id !== undefined) return cancel(ctx, agent, Number(id))
      // Only the agent of this chat can be talked to.
      if (typed && currentAgentOf(ctx.ports.store)?.agentId === agent.id) return plan(ctx, typed)
      return show(ctx, agent)
    },
    { takesArgument: true },
  )
  router.callbackQuery(/^s:([a-z0-9]{1,32}):(\d{1,9})$/, async (ctx) => {
    const agent = await findOwnAgent(ctx.ports.database, ctx.match[1] ?? '', ctx.user.id)
    if (!agent) return ctx.out.toast(ctx.words.chat.notFound, true)
    return cancel(ctx, agent, Number(ctx.match[2]))
  })
}

function plan(ctx: BaalContext, task: string): Promise<void> {
  const message = ctx.words.schedule.add({ task, timezone: ctx.user.timezone ?? '' })
  return talk(ctx, { message, source: ctx.message })
}

async function cancel(ctx: BaalContext, agent: Agent, id: number): Promise<void> {
  const { ports, words, out } = ctx
  const cancelled = await (await ports.agent(agent.id)).cancelSchedule(id)
  const said = cancelled ? words.schedule.cancelled : words.schedule.gone
  if (ctx.callbackQuery) out.toast(said)
  else out.send(said)
  return show(ctx, agent)
}

async function show({ ports, words, out }: BaalContext, agent: Agent): Promise<void> {
  const planned = (await (await ports.agent(agent.id)).schedules()).slice(0, SHOWN)
  const lines: Phrase[] = [words.schedule.title({ agent: agent.name }), '']
  if (planned.length === 0) lines.push(words.schedule.none)
  for (const { id, prompt, when } of planned) lines.push(fmt`${id}. ${when}\n${clip(prompt, SHOWN_POINTS)}`)
  out.show(join(lines, '\n'), [
    ...planned.map(({ id }) => [button(words.buttons.cancelTask({ number: id }), `s:${agent.id}:${id}`)]),
    [agentButton(words.buttons.back, 'card', agent.id)],
  ])
}
