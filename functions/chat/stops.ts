/**
 * "Stop" is carried out where the update comes in, before anything is asked of a database: whatever is queued, or hangs, it
 * works at once. Handlers hear later what came of it, and only say so.
 */
import type { Update } from 'grammy/types'
import type { DeliveryWords } from './delivery-words.ts'
import { draftIdOf } from './draft-id.ts'
import type { TurnControl } from './handling.ts'
import type { Outbox } from './outbox.ts'
import { commandOf } from './routing/addressing.ts'
import { plainText } from './text/formatted-text.ts'
import { STOP_BUTTON } from './turn-buttons.ts'
import type { TurnRunner } from './turn-runner.ts'

export interface StopPorts {
  readonly outbox: Outbox
  /** Ours, once it is known. */
  botName(): string | undefined
  words(): DeliveryWords
  onOutgoing(): void
  now(): number
}

type Running = ReturnType<TurnControl['running']>
interface CarriedOut {
  readonly running: Running
  readonly stopped: boolean
}

/** More stops than anybody sends before the first is handled. */
const MAX_KEPT = 50

export class Stops {
  readonly #runner: TurnRunner
  readonly #ports: StopPorts
  readonly #carriedOut = new Map<number, CarriedOut>()

  constructor(runner: TurnRunner, ports: StopPorts) {
    this.#runner = runner
    this.#ports = ports
  }

  /** For an update that was taken in as a stop signal. Ignores what is meant for another bot, or for a former turn. */
  carryOut(update: Update): void {
    const running = this.#runner.running()
    const before = update.update_id
    if (!this.#isMeant(update, running)) {
      if (!update.message) this.#keep(before, { running, stopped: false })
      return
    }
    const { wasRunning, dropped } = this.#runner.stop({ before })
    this.#keep(before, { running, stopped: wasRunning || dropped > 0 })
    // A turn says itself that it was stopped; what had not begun has no other place for it.
    if (!wasRunning && dropped > 0) this.#sayStopped(before)
  }

  /** What a handler of this update sees and does. */
  controlFor(updateId: number | undefined): TurnControl {
    const runner = this.#runner
    const carriedOut = updateId === undefined ? undefined : this.#carriedOut.get(updateId)
    return {
      running: () => carriedOut?.running ?? runner.running(),
      stop: async () => {
        if (carriedOut) return carriedOut.stopped
        const { wasRunning, dropped } = runner.stop({ before: updateId })
        return wasRunning || dropped > 0
      },
      steps: (turnId) => runner.steps(turnId),
      last: (of) => runner.last(of),
      retry: (turnId) => runner.retry(turnId),
    }
  }

  #keep(updateId: number, outcome: CarriedOut): void {
    this.#carriedOut.set(updateId, outcome)
    const [oldest] = this.#carriedOut.keys()
    if (this.#carriedOut.size > MAX_KEPT && oldest !== undefined) this.#carriedOut.delete(oldest)
  }

  #isMeant({ message, callback_query, stopped_message_generation }: Update, running: Running): boolean {
    if (stopped_message_generation) {
      return running !== undefined && draftIdOf(running.turnId) === stopped_message_generation.draft_id
    }
    if (callback_query) return running !== undefined && STOP_BUTTON.parse(callback_query.data ?? '') === running.turnId
    const username = this.#ports.botName()
    if (!message || username === undefined) return false
    return commandOf(message, { username })?.name === 'stop'
  }

  #sayStopped(updateId: number): void {
    const { outbox, words, now, onOutgoing } = this.#ports
    outbox.add(`u:${updateId}:stopped`, { kind: 'send', text: plainText(words().stopped) }, now())
    onOutgoing()
  }
}
