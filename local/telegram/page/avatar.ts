import { h } from './dom.ts'
import { colorIndex, initials } from './format.ts'

/** A round picture from a name: colour by id, as Telegram picks it. */
export function avatar(id: number, name: string, kind: 'person' | 'bot' | 'group' = 'person'): HTMLElement {
  const text = kind === 'bot' ? '✦' : initials(name)
  return h(
    'span',
    { class: `avatar avatar-${kind === 'bot' ? 'bot' : colorIndex(id)}`, attrs: { 'aria-hidden': 'true' } },
    text,
  )
}
