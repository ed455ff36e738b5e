/** What a wizard looks like: its question, what was wrong with the last answer, and its buttons. */
import { MODELS } from '../../models.ts'
import { describeTerms } from '../agents/link-terms.ts'
import type { Catalogue } from '../catalogue/english.ts'
import { bold, clip, concat, fmt, join, type Phrase, quote } from '../catalogue/format.ts'
import type { Keyboard } from '../outgoing.ts'
import type { FormattedText } from '../text/formatted-text.ts'
import { stepsOf } from './create-wizard.ts'
import { SHARE_TERMS } from './share-wizard.ts'
import { wizardButton } from './wizard-button.ts'
import type { CreateState, EditState, Problem, ShareState, WizardState } from './wizard-state.ts'

/** A purpose may fill a whole message: the confirmation shows its beginning. */
const SHOWN_PURPOSE_POINTS = 600

export interface Screen {
  readonly text: FormattedText
  readonly keyboard: Keyboard
}

export function renderWizard(state: WizardState, words: Catalogue, problem?: Problem): Screen {
  const { text, keyboard } = renderStep(state, words)
  if (!problem) return { text: concat([text]), keyboard }
  return { text: fmt`⚠️ ${describeProblem(problem, words)}\n\n${text}`, keyboard }
}

function renderStep(state: WizardState, words: Catalogue): { text: Phrase; keyboard: Keyboard } {
  switch (state.kind) {
    case 'create':
      return { text: createText(state, words), keyboard: createKeyboard(state, words) }
    case 'edit':
      return { text: editText(state, words), keyboard: [[wizardButton(state, words.buttons.cancel, 'cancel')]] }
    case 'share':
      return { text: words.share.settings({ agent: state.data.agentName }), keyboard: shareKeyboard(state, words) }
  }
}

function createText(state: CreateState, words: Catalogue): FormattedText {
  const steps = stepsOf(state)
  const step = words.wizard.step({ number: steps.indexOf(state.step) + 1, of: steps.length })
  return fmt`${step}\n\n${createQuestion(state, words)}`
}

function createQuestion({ step, data }: CreateState, words: Catalogue): Phrase {
  switch (step) {
    case 'name':
      return words.wizard.askName()
    case 'purpose':
      return words.wizard.askPurpose({ name: data.name })
    case 'model': {
      const models = MODELS.map(({ id, label }) => fmt`${bold(label)}: ${words.models[id]}`)
      return fmt`${words.wizard.askModel({ name: data.name })}\n\n${join(models, '\n')}\n\n${words.wizard.anyModel}`
    }
    case 'confirm': {
      const model = MODELS.find(({ id }) => id === data.model)?.label ?? data.model
      const purpose = describePurpose(data, words)
      return fmt`${words.wizard.confirm({ name: data.name, model })}\n${purpose}`
    }
  }
}

function describePurpose(data: CreateState['data'], { wizard }: Catalogue): Phrase {
  if (data.copyOf) return wizard.copied({ agent: data.copyOfName })
  return data.purpose ? fmt`${wizard.purpose}\n${quote(clip(data.purpose, SHOWN_PURPOSE_POINTS))}` : wizard.anything
}

function createKeyboard(state: CreateState, { buttons }: Catalogue): Keyboard {
  const back = wizardButton(state, buttons.back, 'back')
  const cancel = wizardButton(state, buttons.cancel, 'cancel')
  switch (state.step) {
    case 'name':
      return [[cancel]]
    case 'purpose':
      return [[wizardButton(state, buttons.skip, 'skip')], [back, cancel]]
    case 'model':
      return [...MODELS.map(({ id, label }) => [wizardButton(state, label, id)]), [back, cancel]]
    case 'confirm':
      return [[wizardButton(state, buttons.createConfirm, 'yes', 'success')], [back, cancel]]
  }
}

function editText({ data }: EditState, words: Catalogue): FormattedText {
  if (data.field === 'key') return words.login.ask()
  const agent = { agent: data.agentName }
  if (data.field === 'name') return words.soul.askName(agent)
  return data.field === 'prompt' ? words.soul.askPersonality(agent) : words.memory.askText(agent)
}

function shareKeyboard(state: ShareState, words: Catalogue): Keyboard {
  const label = describeTerms(state.data, words)
  const { buttons } = words
  return [
    ...SHARE_TERMS.map((term) => [wizardButton(state, label[term], term)]),
    [wizardButton(state, buttons.createLink, 'yes', 'success')],
    [wizardButton(state, buttons.cancel, 'cancel')],
  ]
}

function describeProblem(problem: Problem, { wizard }: Catalogue): string {
  switch (problem.kind) {
    case 'name_empty':
      return wizard.nameEmpty
    case 'name_too_long':
      return wizard.nameTooLong({ length: problem.length })
    case 'text_too_long':
      return wizard.textTooLong({ length: problem.length, max: problem.max })
    case 'text_only':
      return wizard.textOnly
    case 'model_not_offered':
      return wizard.modelNotOffered
    case 'press_button':
      return wizard.pressButton
  }
}
