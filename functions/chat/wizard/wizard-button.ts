/** What a wizard's buttons send: `w1:<id>:<step>:<rev>:<arg>`, at most 64 bytes, all of it checked on the way back. */
import type { InlineKeyboardButton } from 'grammy/types'
import { button } from '../routing/buttons.ts'
import type { WizardState } from './wizard-state.ts'

const PATTERN = /^w1:([a-z0-9]{6}):([a-z]{1,10}):([0-9a-z]{1,6}):([\w.-]{1,32})$/

export interface WizardPress {
  readonly id: string
  readonly step: string
  readonly rev: number
  readonly arg: string
}

export function wizardButton(
  state: Pick<WizardState, 'id' | 'step' | 'rev'>,
  text: string,
  arg: string,
  style?: NonNullable<InlineKeyboardButton['style']>,
): InlineKeyboardButton {
  return button(text, `w1:${state.id}:${state.step}:${state.rev.toString(36)}:${arg}`, style)
}

/** @returns `undefined` for what no wizard of ours can have sent */
export function parseWizardButton(data: string): WizardPress | undefined {
  const [, id, step, rev, arg] = PATTERN.exec(data) ?? []
  if (!id || !step || !rev || !arg) return undefined
  return { id, step, rev: Number.parseInt(rev, 36), arg }
}

/** Whether the pressed button belongs to the screen that is shown now. */
export function isCurrent(press: WizardPress, state: Pick<WizardState, 'id' | 'step' | 'rev'>): boolean {
  return press.id === state.id && press.step === state.step && press.rev === state.rev
}
