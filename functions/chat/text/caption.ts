/** The words under a file: Markdown like every answer, but in one piece. */
import type { FormattedText } from './formatted-text.ts'
import { renderMarkdown } from './render-markdown.ts'
import { splitMessage } from './split-message.ts'
import { tidy } from './tidy.ts'

/** Telegram counts code points; counting UTF-16 units is never too many. */
export const MAX_CAPTION_UNITS = 1024

export function renderCaption(markdown: string): FormattedText {
  const whole = renderMarkdown(markdown, { enoughUnits: MAX_CAPTION_UNITS })
  const [first, second] = splitMessage(whole, { maxUnits: MAX_CAPTION_UNITS - 1 })
  if (!first) return { text: '', entities: [] }
  return second ? tidy({ text: `${first.text}…`, entities: first.entities }) : first
}
