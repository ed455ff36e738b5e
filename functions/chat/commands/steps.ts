/** /steps, and the button under an answer: what the agent did for it. */
import { currentAgentOf } from '../agents/current-agent.ts'
import { clip, fmt, join, longQuote, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { describeTool } from '../tool-label.ts'
import { STEPS_BUTTON } from '../turn-buttons.ts'

/** Together below what one message holds. */
const SHOWN_STEPS = 40
const SHOWN_SUMMARY_POINTS = 60

export function registerSteps(router: Router): void {
  onCommand(router, 'steps', (ctx) => {
    const { store, turns } = ctx.ports
    const current = currentAgentOf(store)
    return showSteps(ctx, current && turns.last(current))
  })
  router.callbackQuery(STEPS_BUTTON.pattern, (ctx) => showSteps(ctx, STEPS_BUTTON.parse(ctx.callbackQuery.data)))
}

function showSteps({ ports, words, out }: BaalContext, turnId: string | undefined): void {
  const steps = turnId === undefined ? [] : ports.turns.steps(turnId)
  if (steps.length === 0) {
    out.refuse(words.conversation.noSteps)
    return
  }
  const results = new Map(steps.flatMap((step) => (step.type === 'tool_result' ? [[step.id, step] as const] : [])))
  const lines: Phrase[] = []
  for (const step of steps) {
    if (step.type !== 'tool_use') continue
    const result = results.get(step.id)
    const mark = result === undefined ? '…' : result.ok ? '✓' : '✗'
    const summary = result ? clip(newsOf(result).replace(/\s+/g, ' '), SHOWN_SUMMARY_POINTS) : ''
    lines.push(`${mark} ${describeTool(step.name, step.input)}${summary ? ` → ${summary}` : ''}`)
  }
  const shown = lines.slice(-SHOWN_STEPS)
  const left = lines.length - shown.length
  out.send(fmt`${longQuote(join(left > 0 ? [words.files.more({ count: left }), ...shown] : shown, '\n'))}`, {
    silent: true,
  })
}

/** The summary of a command repeats it; what stands behind it says how it ended. */
function newsOf({ ok, summary }: { readonly ok: boolean; readonly summary: string }): string {
  if (!summary.startsWith('$ ')) return summary
  return ok ? '' : (/\(([^()]*)\)$/.exec(summary)?.[1] ?? '')
}
