/** The terms of a new link on one screen: three rows of choices, then "Create". Pure. */
import { advance, CANCELLED, type ShareState, type Transition, type WizardEvent } from './wizard-state.ts'

/** 0: without that limit. */
export const SHARE_CHOICES = {
  days: [1, 7, 30, 0],
  people: [1, 5, 20, 0],
  messages: [10, 30, 100, 0],
} as const

type Term = keyof typeof SHARE_CHOICES

export function startShare(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  subject: { readonly agentId: string; readonly agentName: string },
): ShareState {
  return {
    kind: 'share',
    id: owner.id,
    userId: owner.userId,
    rev: 0,
    updatedAt: owner.now,
    step: 'terms',
    // Small by default: a link that wanders off does little harm.
    data: { ...subject, days: 7, people: 5, messages: 30 },
  }
}

export function reduceShare(state: ShareState, event: WizardEvent): Transition<ShareState> {
  if (event.type !== 'press') return advance(state, {})
  if (event.arg === 'cancel') return CANCELLED
  if (event.arg === 'yes') {
    const { agentId, days, people, messages } = state.data
    return { effects: [{ type: 'create_link', agentId, days, people, messages }] }
  }
  const [term = '', value = ''] = event.arg.split('.')
  if (!isTerm(term)) return advance(state, {})
  const chosen = SHARE_CHOICES[term].find((choice) => String(choice) === value)
  return advance(state, chosen === undefined ? {} : { data: { ...state.data, [term]: chosen } })
}

function isTerm(term: string): term is Term {
  return Object.hasOwn(SHARE_CHOICES, term)
}
