/** What a wizard remembers between two updates, and what can happen to it. */
import { z } from 'zod'
import { VisitorTools } from '../../../agent-vm/protocol.ts'
import type { LinkTerms } from '../agents/create-share-link.ts'

/** A wizard nobody touches this long is over. */
export const WIZARD_TTL_MS = 30 * 60_000

/** A machine's settings take this much of a personality; one Telegram message brings at most 4096 anyway. */
export const MAX_TEXT_POINTS = 4096
export const MAX_NAME_POINTS = 64

const common = {
  id: z.string().regex(/^[a-z0-9]{6}$/),
  /** Which of its messages shows it: pressed buttons rewrite one, and typed words are answered below them. */
  message: z.int().default(0),
  /** Who runs it: nobody else's presses and texts count. */
  userId: z.int(),
  /** Grows with every screen: buttons of former screens carry a former number. */
  rev: z.int(),
  updatedAt: z.number(),
}

export const CreateState = z.object({
  ...common,
  kind: z.literal('create'),
  step: z.enum(['name', 'purpose', 'model', 'confirm']),
  data: z.object({
    name: z.string().default(''),
    purpose: z.string().default(''),
    model: z.string().default(''),
    /** The agent whose personality and skills it gets instead of a purpose; empty: none. */
    copyOf: z.string().default(''),
    copyOfName: z.string().default(''),
  }),
})
export type CreateState = z.infer<typeof CreateState>

/** `key`: the person's own, and of no agent. */
export const EditField = z.enum(['name', 'prompt', 'memory', 'key'])
export type EditField = z.infer<typeof EditField>

export const EditState = z.object({
  ...common,
  kind: z.literal('edit'),
  step: z.literal('input'),
  data: z.object({ agentId: z.string(), agentName: z.string(), field: EditField }),
})
export type EditState = z.infer<typeof EditState>

export const ShareState = z.object({
  ...common,
  kind: z.literal('share'),
  step: z.literal('terms'),
  /** 0: without that limit. */
  data: z.object({
    agentId: z.string(),
    agentName: z.string(),
    days: z.int(),
    people: z.int(),
    messages: z.int(),
    tools: VisitorTools,
    ask: z.literal([0, 1]),
    copy: z.literal([0, 1]),
  }),
})
export type ShareState = z.infer<typeof ShareState>

export const WizardState = z.discriminatedUnion('kind', [CreateState, EditState, ShareState])
export type WizardState = z.infer<typeof WizardState>

/** `text` is empty for a message without words (a photo, a sticker). */
export type WizardEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'press'; readonly arg: string }

/** What was wrong with an input; shown on the same screen. */
export type Problem =
  | { readonly kind: 'name_empty' | 'text_only' | 'model_not_offered' | 'press_button' }
  | { readonly kind: 'name_too_long'; readonly length: number }
  | { readonly kind: 'text_too_long'; readonly length: number; readonly max: number }

/** What the wizard asks for. `show` draws its current screen; any other effect comes with the wizard's end. */
export type WizardEffect =
  | { readonly type: 'show'; readonly problem?: Problem }
  | { readonly type: 'cancelled' }
  | {
      readonly type: 'create_agent'
      readonly name: string
      readonly purpose: string
      readonly model: string
      readonly copyOf: string
    }
  | {
      readonly type: 'save_field'
      readonly agentId: string
      readonly field: Exclude<EditField, 'key'>
      readonly value: string
    }
  /** Only passed on: a key is never part of a state that is kept. */
  | { readonly type: 'save_key'; readonly key: string }
  | { readonly type: 'create_link'; readonly agentId: string; readonly terms: LinkTerms }

/** `state` is absent when the wizard is over. */
export interface Transition<S extends WizardState = WizardState> {
  readonly state?: S
  readonly effects: readonly WizardEffect[]
}

/** The next screen: a new revision, so that every button drawn so far goes stale. */
export function advance<S extends WizardState>(state: S, change: Partial<Pick<S, 'step' | 'data'>>): Transition<S> {
  return { state: { ...state, ...change, rev: state.rev + 1 }, effects: [{ type: 'show' }] }
}

/** The same screen again, with what was wrong. */
export function complain<S extends WizardState>(state: S, problem: Problem): Transition<S> {
  return { state: { ...state, rev: state.rev + 1 }, effects: [{ type: 'show', problem }] }
}

export const CANCELLED: Transition<never> = { effects: [{ type: 'cancelled' }] }
