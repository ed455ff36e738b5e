/**
 * The turns of this agent: one at a time and in order per chat, background turns beside them, each driven to its end whether
 * or not somebody reads. The only place that decides what runs.
 */

import { describeError } from '../log.ts'
import { chatHistoryId, type PendingStore } from '../pending.ts'
import { type ChatUser, KEEPALIVE_INTERVAL_MS } from '../protocol.ts'
import type { Database } from '../storage/database.ts'
import { failureSentence } from './failure-sentence.ts'
import type { Journal, NewTurn } from './journal.ts'
import { Lanes } from './lanes.ts'
import type { Origin, Steer, Turn, TurnStep } from './turn.ts'
import { FIRST_EVENT_ID, TurnLog } from './turn-log.ts'
import { giveUpTurn, runTurn } from './turn-loop.ts'
import type { LoopPorts } from './turn-run.ts'

/** A turn is taken up again this often after the server died in it. */
const MAX_RESUMES = 1
/** Turns without a reader that run at the same time. */
const MAX_BACKGROUND = 3

export interface LiveTurn {
  readonly turn: Turn
  readonly log: TurnLog
  readonly controller: AbortController
  readonly finished: Promise<void>
  readonly finish: () => void
  running: boolean
  steerable: boolean
}

export interface TurnRegistryPorts
  extends Omit<LoopPorts, 'calls' | 'untold' | 'waitingSteers' | 'lastSteers' | 'closeSteers' | 'sentFiles'> {
  readonly database: Database
  readonly journal: Journal
  readonly pending: PendingStore
  /** A turn ended that left something pending. */
  readonly onPending: () => void
}

export interface TurnInput {
  readonly turnId: string
  readonly chatId: string
  readonly origin: Origin
  readonly message: string
  readonly user: ChatUser
  readonly attachments?: NewTurn['request']['attachments']
  readonly task?: string | undefined
}

export class Turns {
  readonly #ports: TurnRegistryPorts
  readonly #loop: LoopPorts
  readonly #live = new Map<string, LiveTurn>()
  readonly #lanes = new Lanes(MAX_BACKGROUND)
  readonly #keepalive: NodeJS.Timeout
  /** Turns that were ended for their readers while the journal could not be written: it does not know of their end yet. */
  readonly #brokenOff = new Set<string>()
  #shuttingDown = false

  constructor(ports: TurnRegistryPorts) {
    this.#ports = ports
    this.#loop = this.#buildLoopPorts()
    this.#keepalive = setInterval(() => this.#keepReadersAlive(), KEEPALIVE_INTERVAL_MS / 3)
    this.#keepalive.unref()
  }

  get running(): number {
    return [...this.#live.values()].filter(({ running }) => running).length
  }

  live(turnId: string): LiveTurn | undefined {
    return this.#live.get(turnId)
  }

  /** Starts a turn, or finds it: the same id never runs twice. @returns `undefined` when the id belongs to another chat */
  start(input: TurnInput): Turn | undefined {
    const { journal, history, database } = this.#ports
    this.#endBrokenOff()
    const known = journal.find(input.turnId)
    if (known) return known.chatId === input.chatId ? this.#takeUp(known) : undefined
    const isChat = input.origin === 'chat'
    const historyId = isChat ? chatHistoryId(input.chatId, input.user.role) : `${input.origin}:${input.turnId}`
    const { turnId, chatId, origin, message, user, attachments = [], task } = input
    const turn: NewTurn = {
      turnId,
      chatId,
      historyId,
      origin,
      request: { message, user, attachments: [...attachments], ...(task !== undefined && { task }) },
    }
    database.transaction(() => {
      history.ensure(historyId, chatId)
      journal.accept(turn)
    })
    const accepted: Turn = { ...turn, phase: 'queued', iterations: 0, resumes: 0 }
    this.#enqueue(accepted, FIRST_EVENT_ID)
    return accepted
  }

  /** After a start: goes on with every turn that did not end. */
  recover(): void {
    for (const turn of this.#ports.journal.open()) {
      try {
        this.#takeUp(turn)
      } catch (error) {
        // A full disk: it stays open, and being asked for again is its next chance.
        this.#ports.log('error', 'turn_not_recovered', { turn: turn.turnId, reason: describeError(error) })
      }
    }
  }

  /**
   * @param turnId the one that is meant, running or waiting; without it the chat's turns are, or else its background work
   * @returns whether anything was stopped
   */
  stop(chatId: string, turnId?: string): boolean {
    const ofChat = [...this.#live.values()].filter(({ turn, log }) => turn.chatId === chatId && !log.ended)
    const inFront = ofChat.filter(({ turn }) => turn.origin === 'chat')
    const ofAll = inFront.length > 0 ? inFront : ofChat
    const stopped = turnId === undefined ? ofAll : ofChat.filter(({ turn }) => turn.turnId === turnId)
    for (const { controller } of stopped) controller.abort()
    return stopped.length > 0
  }

  /** Resolves when no turn of the chat runs any more. */
  async settled(chatId: string): Promise<void> {
    await Promise.all(
      [...this.#live.values()].filter(({ turn }) => turn.chatId === chatId).map(({ finished }) => finished),
    )
  }

  isBusy(chatId: string): boolean {
    return [...this.#live.values()].some(({ turn }) => turn.chatId === chatId && turn.origin === 'chat')
  }

  /** @returns false when no turn takes it */
  steer(chatId: string, message: string, steerId: string | undefined): boolean {
    if (steerId !== undefined && this.#ports.journal.knowsSteer(steerId)) return true
    const live = [...this.#live.values()].find(({ turn, steerable }) => turn.chatId === chatId && steerable)
    if (!live) return false
    this.#ports.journal.steer(live.turn.turnId, message, steerId)
    return true
  }

  /** Runs something else in a chat's order, when no turn of it runs. */
  exclusively(chatId: string, work: () => Promise<void>): Promise<void> {
    return this.#lanes.run(chatId, work)
  }

  /** Lets go of every turn without ending it: the journal has it, and the next start goes on. */
  async shutDown(graceMs: number): Promise<void> {
    this.#shuttingDown = true
    clearInterval(this.#keepalive)
    const open = [...this.#live.values()]
    for (const { controller } of open) controller.abort()
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, graceMs)
    await Promise.race([Promise.all(open.map(({ finished }) => finished)), patience.promise])
    clearTimeout(timer)
    for (const { log } of open) log.end()
  }

  /** A known turn that neither ended nor runs was broken off: being asked for again is its chance to go on. */
  #takeUp(turn: Turn): Turn {
    if (turn.phase === 'done' || this.#live.has(turn.turnId)) return turn
    const firstId = this.#ports.journal.skipEventIds(turn.turnId)
    if (turn.phase === 'queued') this.#enqueue(turn, firstId)
    else if (turn.resumes < MAX_RESUMES) this.#enqueue(this.#ports.journal.resume(turn), firstId)
    else this.#giveUp(turn, firstId)
    return turn
  }

  #enqueue(turn: Turn, firstId: number): void {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
    const live: LiveTurn = {
      turn,
      log: new TurnLog(firstId),
      controller: new AbortController(),
      finished,
      finish,
      running: false,
      steerable: false,
    }
    this.#live.set(turn.turnId, live)
    const work = () => this.#drive(live)
    const done = turn.origin === 'chat' ? this.#lanes.run(turn.chatId, work) : this.#lanes.runInBackground(work)
    done.catch((error: unknown) => {
      this.#ports.log('error', 'turn_lost', { turn: turn.turnId, reason: describeError(error) })
    })
  }

  async #drive(live: LiveTurn): Promise<void> {
    const { turn, controller, log } = live
    live.running = true
    live.steerable = turn.origin === 'chat'
    try {
      for await (const step of runTurn(turn, controller.signal, this.#loop)) {
        // Not ended, not stopped by a person: what is not yet in the journal did not happen.
        if (this.#shuttingDown) break
        this.#take(live, step)
      }
    } catch (error) {
      this.#ports.log('error', 'turn_broke', { turn: turn.turnId, reason: describeError(error) })
      if (!this.#shuttingDown) this.#breakOff(live)
    } finally {
      live.running = false
      live.steerable = false
      log.end()
      this.#live.delete(turn.turnId)
      live.finish()
    }
  }

  #take(live: LiveTurn, step: TurnStep): void {
    const { turn, log } = live
    if (step.preview) {
      log.pass(step.preview)
      return
    }
    const events = log.number(step.events ?? [])
    this.#ports.journal.commit(turn, step, events, log.nextId)
    log.show(
      events,
      (step.events ?? []).some(({ type }) => type === 'text' || type === 'done'),
    )
    if (step.done?.result) this.#ports.onPending()
  }

  /** The journal itself failed (disk full, …): the readers must still hear an end. */
  #breakOff({ turn, log }: LiveTurn): void {
    this.#brokenOff.add(turn.turnId)
    log.show(
      log.number([
        { type: 'error', code: 'storage', content: failureSentence('storage') },
        { type: 'done', reason: 'error' },
      ]),
      true,
    )
  }

  /** Now that something is written again: what people were told is over must not go on after a restart. */
  #endBrokenOff(): void {
    for (const turnId of this.#brokenOff) {
      if (this.#live.has(turnId)) continue
      const turn = this.#ports.journal.find(turnId)
      if (turn && turn.phase !== 'done') this.#giveUp(turn, this.#ports.journal.skipEventIds(turnId))
      this.#brokenOff.delete(turnId)
    }
  }

  #giveUp(turn: Turn, firstId: number): void {
    const log = new TurnLog(firstId)
    const step = giveUpTurn(turn, this.#loop)
    const events = log.number(step.events ?? [])
    this.#ports.journal.commit(turn, step, events, log.nextId)
    if (step.done?.result) this.#ports.onPending()
  }

  #keepReadersAlive(): void {
    for (const { log } of this.#live.values()) {
      if (!log.ended && log.silentMs() >= (KEEPALIVE_INTERVAL_MS * 2) / 3) log.pass({ type: 'keepalive' })
    }
  }

  #closeSteers(turnId: string): Steer[] {
    const live = this.#live.get(turnId)
    if (live) live.steerable = false
    return this.#ports.journal.waitingSteers(turnId)
  }

  #buildLoopPorts(): LoopPorts {
    const { journal, pending } = this.#ports
    return {
      ...this.#ports,
      calls: (turnId) => journal.calls(turnId),
      untold: (historyId) => pending.untold(historyId),
      waitingSteers: (turnId) => journal.waitingSteers(turnId),
      lastSteers: (turnId) => {
        const waiting = journal.waitingSteers(turnId)
        return waiting.length === 0 ? this.#closeSteers(turnId) : waiting
      },
      closeSteers: (turnId) => this.#closeSteers(turnId),
      sentFiles: (turnId) => journal.sentFiles(turnId),
    }
  }
}
