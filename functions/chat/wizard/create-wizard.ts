/**
 * The four steps to an agent: name, purpose, model, confirm; a copy brings its purpose along. Pure: a state and an event in, a
 * state and effects out.
 */
import { isOfferedModel, MODELS } from '../../models.ts'
import { parseName, parseText } from './typed-input.ts'
import {
  advance,
  CANCELLED,
  type CreateState,
  complain,
  type Transition,
  type WizardEffect,
  type WizardEvent,
} from './wizard-state.ts'

type Step = CreateState['step']
const STEPS: readonly Step[] = ['name', 'purpose', 'model', 'confirm']
const COPY_STEPS: readonly Step[] = ['name', 'model', 'confirm']

export function stepsOf({ data }: Pick<CreateState, 'data'>): readonly Step[] {
  return data.copyOf ? COPY_STEPS : STEPS
}

/** @param idea fills in name and purpose, and begins at the model */
export function startCreate(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  idea?: { readonly name: string; readonly purpose: string },
): CreateState {
  return {
    kind: 'create',
    id: owner.id,
    message: 0,
    userId: owner.userId,
    rev: 0,
    updatedAt: owner.now,
    step: idea ? 'model' : 'name',
    data: { name: idea?.name ?? '', purpose: idea?.purpose ?? '', model: '', copyOf: '', copyOfName: '' },
  }
}

/** Everything is known: one press makes the copy, and Back leads to what may be changed. */
export function startCopy(
  owner: { readonly id: string; readonly userId: number; readonly now: number },
  original: { readonly id: string; readonly name: string; readonly model: string },
): CreateState {
  const { id, name, model } = original
  const start = startCreate(owner)
  return { ...start, step: 'confirm', data: { ...start.data, name, model, copyOf: id, copyOfName: name } }
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
      if (!isYes(event)) return complain(state, { kind: 'press_button' })
      return { effects: [createAgent(state.data)] }
  }
}

function createAgent({ copyOfName: _, ...wish }: CreateState['data']): WizardEffect {
  return { type: 'create_agent', ...wish }
}

function back(state: CreateState): Transition<CreateState> {
  const steps = stepsOf(state)
  const before = steps[steps.indexOf(state.step) - 1]
  return advance(state, before ? { step: before } : {})
}

function nameGiven(state: CreateState, event: WizardEvent): Transition<CreateState> {
  if (event.type === 'press') return complain(state, { kind: 'press_button' })
  if (event.text === '') return complain(state, { kind: 'text_only' })
  const name = parseName(event.text)
  if (!name.ok) return complain(state, name.problem)
  return advance(state, { step: state.data.copyOf ? 'model' : 'purpose', data: { ...state.data, name: name.value } })
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

/** Pressed, or typed by someone whose buttons do not work. */
function isYes(event: WizardEvent): boolean {
  return event.type === 'press' ? event.arg === 'yes' : event.text.trim().toLowerCase() === 'yes'
}
