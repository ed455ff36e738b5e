/** Moves a chat's wizard by one event and carries out what it asks for. */
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { reduceCreate } from './create-wizard.ts'
import { reduceEdit } from './edit-wizard.ts'
import { reduceShare } from './share-wizard.ts'
import { closeWizard, isExpired, loadWizard, messageOf, saveWizard, wasFinished } from './stored-wizard.ts'
import { isCurrent, parseWizardButton } from './wizard-button.ts'
import { performEffect } from './wizard-effects.ts'
import { renderWizard } from './wizard-screen.ts'
import type { Problem, Transition, WizardEvent, WizardState } from './wizard-state.ts'

const ID_LENGTH = 6

/** What every new wizard begins with. */
export function wizardOwner({ ports, user }: BaalContext): { id: string; userId: number; now: number } {
  return { id: ports.ids('wizard').slice(0, ID_LENGTH), userId: user.id, now: ports.now() }
}

/** Shows a wizard in a message of its own. One chat has one at a time. */
export function openWizard(ctx: BaalContext, state: WizardState): void {
  leaveWizard(ctx)
  saveWizard(ctx.ports.store, state)
  const { text, keyboard } = renderWizard(state, ctx.words)
  ctx.out.send(text, { keyboard, ...messageOf(state) })
}

/** Commands that begin something leave a wizard: its message says so and loses its buttons. @returns whether there was one */
export function leaveWizard(ctx: BaalContext): boolean {
  const state = loadWizard(ctx.ports.store)
  if (!state) return false
  const expired = isExpired(state, ctx.ports.now())
  endWizard(ctx, state, expired ? ctx.words.wizard.expired : ctx.words.wizard.cancelled)
  return !expired
}

/** /cancel: what it says stands below the word, like every answer to something typed. @returns whether there was a wizard */
export function cancelWizard(ctx: BaalContext): boolean {
  const state = loadWizard(ctx.ports.store)
  if (!state || isExpired(state, ctx.ports.now())) return leaveWizard(ctx)
  endWizard(ctx, next(ctx, state), ctx.words.wizard.cancelled)
  takeButtons(ctx, state)
  return true
}

/** Below what was looked up meanwhile, so that the question is the last thing that stands there. */
export function askWizardAgain(ctx: BaalContext): void {
  const state = loadWizard(ctx.ports.store)
  if (state?.userId !== ctx.user.id) return
  const shown = next(ctx, state)
  saveWizard(ctx.ports.store, { ...shown, updatedAt: ctx.ports.now() })
  draw(ctx, shown)
  takeButtons(ctx, state)
}

/** To be called before anything else: what has expired no longer takes part. */
export function dropExpiredWizard(ctx: BaalContext): void {
  const state = loadWizard(ctx.ports.store)
  if (state && isExpired(state, ctx.ports.now())) endWizard(ctx, state, ctx.words.wizard.expired)
}

/** A text while a wizard waits for one. */
export async function answerWizard(ctx: BaalContext, state: WizardState, text: string): Promise<void> {
  await step(ctx, state, { type: 'text', text })
}

/** The words of its buttons, typed: `/back` and `/skip` beside `/cancel`. */
export function registerWizardButtons(router: Router): void {
  for (const arg of ['back', 'skip']) {
    onCommand(router, arg, async (ctx) => {
      const state = loadWizard(ctx.ports.store)
      if (state?.userId === ctx.user.id) return step(ctx, state, { type: 'press', arg })
      ctx.out.send(ctx.words.wizard.noMenu)
    })
  }
  router.callbackQuery(/^w1:/, async (ctx) => {
    const press = parseWizardButton(ctx.callbackQuery.data)
    const state = loadWizard(ctx.ports.store)
    if (press && state?.id === press.id) {
      if (state.userId !== ctx.user.id) return ctx.out.toast(ctx.words.toasts.notYours)
      if (isCurrent(press, state)) return step(ctx, state, { type: 'press', arg: press.arg })
      ctx.out.toast(ctx.words.toasts.outdated)
      return draw(ctx, state)
    }
    ctx.out.toast(ctx.words.toasts.outdated)
    // The message of a finished wizard has become something else (progress, a link): leave it alone.
    const pressed = ctx.callbackQuery.message
    if (press && !wasFinished(ctx.ports.store, press.id) && pressed && !ctx.inGroup) {
      ctx.out.edit({ messageId: pressed.message_id }, ctx.words.wizard.expired, { keyboard: [] })
    }
  })
}

async function step(ctx: BaalContext, state: WizardState, event: WizardEvent): Promise<void> {
  const { state: changed, effects } = reduce(state, event)
  const shown = next(ctx, changed ?? state)
  if (changed) saveWizard(ctx.ports.store, { ...shown, updatedAt: ctx.ports.now() })
  for (const effect of effects) {
    if (effect.type === 'show') draw(ctx, shown, effect.problem)
    else if (effect.type === 'cancelled') endWizard(ctx, shown, ctx.words.wizard.cancelled)
    else {
      await performEffect(ctx, effect, messageOf(shown))
      // Only now: when it failed, the wizard is still there to try again.
      closeWizard(ctx.ports.store, shown)
    }
  }
  takeButtons(ctx, state)
}

/** Where it goes on: after a press in the same message, after typed words in one below them. */
function next<S extends WizardState>({ callbackQuery }: BaalContext, state: S): S {
  return callbackQuery ? state : { ...state, message: state.message + 1 }
}

/** The question that was answered by typing stays as it was asked, and can no longer be pressed. */
function takeButtons({ callbackQuery, out, words }: BaalContext, state: WizardState): void {
  if (!callbackQuery) out.edit(messageOf(state), renderWizard(state, words).text, { keyboard: [], silent: true })
}

function reduce(state: WizardState, event: WizardEvent): Transition {
  switch (state.kind) {
    case 'create':
      return reduceCreate(state, event)
    case 'edit':
      return reduceEdit(state, event)
    case 'share':
      return reduceShare(state, event)
  }
}

function draw(ctx: BaalContext, state: WizardState, problem?: Problem): void {
  const { text, keyboard } = renderWizard(state, ctx.words, problem)
  ctx.out.edit(messageOf(state), text, { keyboard })
}

function endWizard(ctx: BaalContext, state: WizardState, words: string): void {
  closeWizard(ctx.ports.store, state)
  ctx.out.edit(messageOf(state), words, { keyboard: [] })
}
