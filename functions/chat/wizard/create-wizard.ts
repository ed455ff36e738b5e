/** The four steps to an agent: name, purpose, model, confirm. Pure: a state and an event in, a state and effects out. */
import { isOfferedModel, MODELS } from '../../models.ts'
import { parseName, parseText } from './typed-input.ts'
import { advance, CANCELLED, type CreateState, complain, type Transition, type WizardEvent } from './wizard-state.ts'

export const CREATE_STEPS = ['name', 'purpose', 'model', 'confirm'] as const

/** @param idea fills in name and purpose, and begins at the model */
export function startCreate(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  idea?: { readonly name: string; readonly purpose: string },
): CreateState {
  return {
    kind: 'create',
    id: owner.id,
    userId: owner.userId,
    rev: 0,
    updatedAt: owner.now,
    step: idea ? 'model' : 'name',
    data: { name: idea?.name ?? '', purpose: idea?.purpose ?? '', model: '' },
  }
}

export function reduceCreate(state: CreateState, event: WizardEvent): Transition<CreateState> {
  if (event.type === 'press') {
    if (event.arg === 'cancel') return CANCELLED
    if (event.arg === 'back') return back(state)
  }
  switch (state.step) {
    case 'name':
      return nameGiven(state, event)
    case 'purpose':
      return purposeGiven(state, event)
    case 'model':
      return modelChosen(state, event.type === 'press' ? event.arg : modelNamed(event.text))
    case 'confirm':
      if (event.type !== 'press' || event.arg !== 'yes') return complain(state, { kind: 'press_button' })
      return { effects: [{ type: 'create_agent', ...state.data }] }
  }
}

function back(state: CreateState): Transition<CreateState> {
  const before = CREATE_STEPS[CREATE_STEPS.indexOf(state.step) - 1]
  return advance(state, before ? { step: before } : {})
}

function nameGiven(state: CreateState, event: WizardEvent): Transition<CreateState> {
  if (event.type === 'press') return complain(state, { kind: 'press_button' })
  if (event.text === '') return complain(state, { kind: 'text_only' })
  const name = parseName(event.text)
  if (!name.ok) return complain(state, name.problem)
  return advance(state, { step: 'purpose', data: { ...state.data, name: name.value } })
}

function purposeGiven(state: CreateState, event: WizardEvent): Transition<CreateState> {
  if (event.type === 'press') {
    if (event.arg !== 'skip') return complain(state, { kind: 'press_button' })
    return advance(state, { step: 'model', data: { ...state.data, purpose: '' } })
  }
  if (event.text === '') return complain(state, { kind: 'text_only' })
  const purpose = parseText(event.text)
  if (!purpose.ok) return complain(state, purpose.problem)
  return advance(state, { step: 'model', data: { ...state.data, purpose: purpose.value } })
}

function modelChosen(state: CreateState, model: string): Transition<CreateState> {
  if (!isOfferedModel(model)) return complain(state, { kind: 'model_not_offered' })
  return advance(state, { step: 'confirm', data: { ...state.data, model } })
}

/** A model by its id or by the label on its button. */
function modelNamed(typed: string): string {
  const wanted = typed.trim().toLowerCase()
  return MODELS.find(({ id, label }) => id === wanted || label.toLowerCase() === wanted)?.id ?? wanted
}
