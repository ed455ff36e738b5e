/** One text of an agent written anew: its name, its personality or its memory. Pure. */
import { parseName, parseText } from './typed-input.ts'
import {
  advance,
  CANCELLED,
  complain,
  type EditField,
  type EditState,
  type Transition,
  type WizardEvent,
} from './wizard-state.ts'

export function startEdit(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  subject: { readonly agentId: string; readonly agentName: string; readonly field: EditField },
): EditState {
  return {
    kind: 'edit',
    id: owner.id,
    message: 0,
    userId: owner.userId,
    rev: 0,
    updatedAt: owner.now,
    step: 'input',
    data: { ...subject },
  }
}

export function reduceEdit(state: EditState, event: WizardEvent): Transition<EditState> {
  if (event.type === 'press') return event.arg === 'cancel' ? CANCELLED : advance(state, {})
  if (event.text === '') return complain(state, { kind: 'text_only' })
  const { agentId, field } = state.data
  // Whatever it is, its message is deleted and it is looked at there: a slip with a key must not stay in the chat.
  if (field === 'key') return { effects: [{ type: 'save_key', key: event.text.trim() }] }
  const input = field === 'name' ? parseName(event.text) : parseText(event.text)
  if (!input.ok) return complain(state, input.problem)
  if (input.value === '') return complain(state, { kind: 'text_only' })
  return { effects: [{ type: 'save_field', agentId, field, value: input.value }] }
}
