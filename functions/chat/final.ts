/** How a turn ends in the chat: the answer in its parts, an honest line where there is none, and buttons that help. */
import type { InlineKeyboardButton } from 'grammy/types'
import { describeError, log } from '../log.ts'
import { lookUp } from './catalogue/catalogue.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { joinFormatted } from './formatted-tail.ts'
import type { Outgoing, OutgoingMessage } from './outgoing.ts'
import { gainsByRich, renderRich } from './rich/render-rich.ts'
import { fits, type RichBlock, type RichMessage } from './rich/rich-message.ts'
import { MAX_CAPTION_UNITS } from './text/caption.ts'
import { type FormattedText, plainText } from './text/formatted-text.ts'
import { ENOUGH_UNITS, inMessages } from './text/in-messages.ts'
import { renderMarkdown } from './text/render-markdown.ts'
import { cleanInput, isVisible } from './text/tidy.ts'
import { RETRY_BUTTON, STEPS_BUTTON } from './turn-buttons.ts'
import { answerOf, noticesOf, type TurnProgress } from './turn-progress.ts'

export interface FinalRequest {
  readonly turnId: string
  readonly progress: TurnProgress
  readonly quiet: boolean
  /** Rich messages: where they show more than text can, or always. Never without it. */
  readonly rich?: 'auto' | 'always' | undefined
  /** In groups: the message that asked. */
  readonly replyTo?: number | undefined
  /** A preview message exists under `previewRef` and becomes the first part. */
  readonly hasPreview: boolean
  /** What became of an edit of that message is not known. */
  readonly mayBeOvertaken: boolean
  /** Said below the answer when the turn failed. */
  readonly problem?: string | undefined
  readonly stopped: boolean
  readonly words: DeliveryWords
}

type Render = typeof renderMarkdown

/** Name of the message that a turn's preview, then its final, is. */
export function previewRef(turnId: string): string {
  return `turn:${turnId}`
}

/** Safe to call with whatever a model said: what cannot be formatted goes without. */
export function buildFinal(request: FinalRequest, render: Render = renderMarkdown): Outgoing[] {
  try {
    return build(request, render)
  } catch (error) {
    log('error', 'final_not_rendered', { turn: request.turnId, error: describeError(error) })
    return build({ ...request, rich: undefined }, (answer) => plainText(cleanInput(answer)))
  }
}

function build(request: FinalRequest, render: Render): Outgoing[] {
  const { turnId, progress, replyTo, words } = request
  const ref = previewRef(turnId)
  const said = answerOf(progress)
  const body = render(said, { enoughUnits: ENOUGH_UNITS })
  // Signs that no one sees are no answer: Telegram refuses them as empty.
  const answer = isVisible(body.text) ? said : ''
  const closing = closingOf(request, answer)
  const { shown, isWhole } = inMessages(wholeOf(request, { body, closing }))
  const rich = richOf(request, { answer, closing })
  const insteadOfRich = rich ? { insteadOfRich: ref } : {}
  const keyboard = buttonsOf(request)
  const keyboardAt = rich ? 0 : shown.length - 1
  const outgoing: Outgoing[] = shown.map((text, index) => {
    const message: OutgoingMessage = {
      text,
      ...(index === keyboardAt && keyboard.length > 0 ? { keyboard: [keyboard] } : {}),
      ...(index === 0 && replyTo !== undefined ? { replyTo } : {}),
    }
    if (index > 0) return { kind: 'send', ...message, ...insteadOfRich }
    const first = { ...message, ...(rich ? { rich } : {}) }
    if (!request.hasPreview) return { kind: 'send', ref, ...first }
    return { kind: 'edit', target: { ref }, ...(request.mayBeOvertaken ? { confirm: true } : {}), ...first }
  })
  if (!isWhole) {
    // How it ended would stand in a part that is not shown.
    const caption = plainText(
      [words.longAnswer, closing]
        .filter((line) => line !== '')
        .join('\n')
        .slice(0, MAX_CAPTION_UNITS),
    )
    outgoing.push({ kind: 'document', name: 'answer.md', content: answer, caption, ...insteadOfRich })
  }
  return outgoing
}

/** The same as one rich message, where the person wants that and Telegram has room for it. */
function richOf(
  request: FinalRequest,
  { answer, closing }: { answer: string; closing: string },
): RichMessage | undefined {
  if (request.rich === undefined || answer === '') return undefined
  const rendered = renderRich(answer)
  if (request.rich === 'auto' && !gainsByRich(rendered)) return undefined
  const blocks: RichBlock[] = [
    ...noticeLines(request).map((text): RichBlock => ({ type: 'paragraph', text: { type: 'italic', text } })),
    ...rendered.blocks,
    ...(closing === '' ? [] : [{ type: 'paragraph', text: closing } as const]),
  ]
  const message = { ...rendered, blocks }
  return fits(message) ? message : undefined
}

function wholeOf(request: FinalRequest, { body, closing }: { body: FormattedText; closing: string }): FormattedText {
  const notices = noticeLines(request).map((text) => ({
    text: `${text}\n`,
    entities: [{ type: 'italic' as const, offset: 0, length: text.length }],
  }))
  const isShown = isVisible(body.text)
  const lines = closing === '' ? [] : [plainText(isShown ? `\n\n${closing}` : closing)]
  const whole = joinFormatted(...notices, ...(isShown ? [body] : []), ...lines)
  return isVisible(whole.text) ? whole : plainText(request.words.nothingSaid)
}

function noticeLines({ progress, words }: FinalRequest): string[] {
  const said = noticesOf(progress).map(({ code, content }) => (code && lookUp(words.notices, code)) || content)
  return said.map((notice) => cleanInput(notice).trim()).filter((notice) => notice !== '')
}

function closingOf(request: FinalRequest, answer: string): string {
  const lines = [request.progress.clipped ? request.words.clipped : undefined, closingLine(request, answer)]
  return lines.filter((line) => line !== undefined).join('\n')
}

function closingLine({ progress, problem, stopped, words }: FinalRequest, answer: string): string | undefined {
  // Somebody else may have told the agent to stop.
  if (stopped || progress.done === 'cancelled') return words.stopped
  if (problem !== undefined) return `⚠️ ${cleanInput(problem)}`
  if (progress.done === 'max_iterations') return words.maxIterations
  return answer === '' ? words.nothingSaid : undefined
}

function buttonsOf({ turnId, progress, quiet, problem, stopped, words }: FinalRequest): InlineKeyboardButton[] {
  return [
    ...(problem !== undefined && !stopped ? [RETRY_BUTTON.build(words.retry, turnId)] : []),
    ...(progress.toolCount > 0 && !quiet ? [STEPS_BUTTON.build(words.steps, turnId)] : []),
  ]
}
