/** A block of HTML as text: what only folds or comments is left out, everything else is shown as it was written. */
import { decodeEntities } from './html-entities.ts'

export function htmlText(html: string): string {
  const text = html
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<\/?details(?:\s[^<>]*)?>/gi, '')
    .replace(/<summary(?:\s[^<>]*)?>/gi, '▸ ')
    .replace(/<\/summary>/gi, '')
    .replace(/<br\s*\/?>/gi, '\n')
  return decodeEntities(text).trim()
}
