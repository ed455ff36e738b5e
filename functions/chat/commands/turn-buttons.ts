/** Buttons under answers: what the agent did in a turn, and the same question once more. */

import { currentAgentOf } from '../agents/current-agent.ts'
import { talk } from '../agents/talk.ts'
import { clip, fmt, join, longQuote, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { describeTool } from '../tool-label.ts'
import { RETRY_BUTTON, STEPS_BUTTON } from '../turn-buttons.ts'

/** Together below what one message holds. */
const SHOWN_STEPS = 40
const SHOWN_SUMMARY_POINTS = 60

export function registerTurnButtons(router: Router): void {
  router.callbackQuery(STEPS_BUTTON.pattern, (ctx) => showSteps(ctx, STEPS_BUTTON.parse(ctx.callbackQuery.data) ?? ''))
  router.callbackQuery(RETRY_BUTTON.pattern, async (ctx) => {
    const former = ctx.ports.turns.retry(RETRY_BUTTON.parse(ctx.callbackQuery.data) ?? '')
    // In a group only who asked may ask again; and only the agent that the chat still talks to.
    if (!former || former.agentId !== currentAgentOf(ctx.ports.store)?.agentId) {
      return ctx.out.toast(ctx.words.chat.editedGone, true)
    }
    if (former.user.id !== ctx.user.id) return ctx.out.toast(ctx.words.toasts.notYours)
    ctx.out.toast(ctx.words.chat.runningAgain)
    return talk(ctx, former)
  })
}

function showSteps({ ports, words, out }: BaalContext, turnId: string): void {
  const steps = ports.turns.steps(turnId)
  if (steps.length === 0) {
    out.toast(words.toasts.nothing)
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
