/** The wizard of a chat in the chat's own store: one at a time, kept over restarts, over after half an hour. */
import { z } from 'zod'
import type { ChatStore } from '../handling.ts'
import type { MessageTarget } from '../outgoing.ts'
import { WIZARD_TTL_MS, WizardState } from './wizard-state.ts'

const KEY = 'wizard'
const FINISHED_KEY = 'wizard:finished'

export function loadWizard(store: ChatStore): WizardState | undefined {
  return store.get(KEY, WizardState)
}

export function saveWizard(store: ChatStore, state: WizardState): void {
  store.put(KEY, state)
}

/** Ends the wizard. Its message is now something else's, so a late second press must not touch it. */
export function closeWizard(store: ChatStore, state: WizardState): void {
  store.delete(KEY)
  store.put(FINISHED_KEY, state.id)
}

export function wasFinished(store: ChatStore, id: string): boolean {
  return store.get(FINISHED_KEY, z.string()) === id
}

export function isExpired(state: WizardState, now: number): boolean {
  return now - state.updatedAt > WIZARD_TTL_MS
}

/** Whether the next text of this person answers a wizard and not the agent. */
export function wizardAwaitingText(
  store: ChatStore,
  { userId, now }: { readonly userId: number; readonly now: number },
): WizardState | undefined {
  const state = loadWizard(store)
  if (!state || state.kind === 'share' || state.userId !== userId || isExpired(state, now)) return undefined
  return state
}

export function messageOf({
  id,
  message,
}: Pick<WizardState, 'id' | 'message'>): Extract<MessageTarget, { ref: string }> {
  return { ref: message === 0 ? `wizard:${id}` : `wizard:${id}:${message}` }
}
