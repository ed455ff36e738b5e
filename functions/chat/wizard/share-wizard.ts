/** The terms of a new link on one screen: each button shows a term and goes on to its next choice. Pure. */
import type { LinkTerms } from '../agents/create-share-link.ts'
import { advance, CANCELLED, type ShareState, type Transition, type WizardEvent } from './wizard-state.ts'

/** 0: without that limit; for `ask` and `copy`, no and yes. */
export const SHARE_CHOICES = {
  days: [1, 7, 30, 0],
  people: [1, 5, 20, 0],
  messages: [10, 30, 100, 0],
  tools: ['chat', 'web', 'workspace'],
  ask: [0, 1],
  copy: [0, 1],
} as const

export type Term = keyof typeof SHARE_CHOICES
export const SHARE_TERMS: readonly Term[] = ['days', 'people', 'messages', 'tools', 'ask', 'copy']

/** Small: a link that wanders off does little harm. */
export const DEFAULT_TERMS: LinkTerms = { days: 7, people: 5, messages: 30, tools: 'web', ask: 0, copy: 0 }

export function startShare(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  subject: { readonly agentId: string; readonly agentName: string },
): ShareState {
  return {
    kind: 'share',
    id: owner.id,
    message: 0,
    userId: owner.userId,
    rev: 0,
    updatedAt: owner.now,
    step: 'terms',
    data: { ...subject, ...DEFAULT_TERMS },
  }
}

export function reduceShare(state: ShareState, event: WizardEvent): Transition<ShareState> {
  if (event.type !== 'press') return advance(state, {})
  if (event.arg === 'cancel') return CANCELLED
  if (event.arg === 'yes') {
    const { agentId, agentName: _, ...terms } = state.data
    return { effects: [{ type: 'create_link', agentId, terms }] }
  }
  return isTerm(event.arg) ? advance(state, { data: withNext(state.data, event.arg) }) : advance(state, {})
}

function withNext(data: ShareState['data'], term: Term): ShareState['data'] {
  const choices: readonly (string | number)[] = SHARE_CHOICES[term]
  return { ...data, [term]: choices[(choices.indexOf(data[term]) + 1) % choices.length] }
}

function isTerm(term: string): term is Term {
  return Object.hasOwn(SHARE_CHOICES, term)
}

/** Hundreds of years and crowds are a slip of the finger. */
const MOST = { days: 3650, people: 10_000, messages: 10_000 } as const
const SUFFIXES = { d: 'days', p: 'people', m: 'messages' } as const

/**
 * Terms as they are typed: `/share new 7d 5p 30m web ask copy`, in any order; 0 is without that limit, and what is not said
 * is as in the menu.
 * @returns `undefined` for a word that means nothing here
 */
export function parseTerms(typed: string): LinkTerms | undefined {
  const terms: { -readonly [K in keyof LinkTerms]: LinkTerms[K] } = { ...DEFAULT_TERMS }
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const [, digits, suffix] = /^(\d{1,5})([dpm])$/.exec(word) ?? []
    const tools = SHARE_CHOICES.tools.find((choice) => choice === word)
    if (suffix === 'd' || suffix === 'p' || suffix === 'm') {
      const term = SUFFIXES[suffix]
      terms[term] = Math.min(Number(digits), MOST[term])
    } else if (tools) terms.tools = tools
    else if (word === 'ask' || word === 'copy') terms[word] = 1
    else return undefined
  }
  return terms
}
