/** What a preview shows: which tools are at work above, the end of the answer as it is being written below. */
import type { MessageEntity } from 'grammy/types'
import { joinFormatted, tailOf } from './formatted-tail.ts'
import { type FormattedText, plainText } from './text/formatted-text.ts'
import { isVisible, tidy } from './text/tidy.ts'
import type { Tool, TurnProgress } from './turn-progress.ts'

/** Below Telegram's 4096, with room for the status. */
export const MAX_FRAME_UNITS = 3_500
/** Telegram drops what is beyond 100. */
const MAX_ENTITIES = 95
const SIGNS: Readonly<Record<Tool['state'], string>> = { running: '⏳', ok: '✓', failed: '✗' }

export interface Frame {
  readonly text: FormattedText
  /** Characters of the answer, to tell a first word from a first sentence. */
  readonly answerChars: number
}

export const EMPTY_FRAME: Frame = { text: plainText(''), answerChars: 0 }

/** @param answer all that was said so far, rendered */
export function buildFrame(progress: TurnProgress, answer: FormattedText, options: { quiet: boolean }): Frame {
  const status = options.quiet ? plainText('') : statusOf(progress)
  const tail = withoutExcess(tailOf(answer, MAX_FRAME_UNITS))
  const parts = [status, tail].filter(({ text }) => isVisible(text))
  const between = parts.length === 2 ? [plainText('\n')] : []
  const text = tidy(joinFormatted(...parts.slice(0, 1), ...between, ...parts.slice(1)))
  return { text, answerChars: answer.text.trim().length }
}

function statusOf({ tools, toolCount }: TurnProgress): FormattedText {
  if (tools.length === 0) return plainText('')
  const hidden = toolCount - tools.length
  const lines = tools.map(({ state, label }) => `${SIGNS[state]} ${label}`)
  const text = [...(hidden > 0 ? [`… ${hidden}`] : []), ...lines].join('\n')
  const entities: MessageEntity[] = [{ type: 'blockquote', offset: 0, length: text.length }]
  return { text: `${text}\n`, entities }
}

/** The newest formatting is what is being read. */
function withoutExcess({ text, entities }: FormattedText): FormattedText {
  return { text, entities: entities.slice(-MAX_ENTITIES) }
}
