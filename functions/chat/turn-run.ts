/**
 * One turn, from the agent's first event to the rows of the final. The agent goes on without its reader and never runs the
 * same turn id twice, so whatever breaks here is picked up where it was saved: cursor and text in one statement, files in
 * the same transaction as the event that named them.
 */
import { type ChatRequest, ErrorCode } from '../../agent-vm/protocol.ts'
import { describeError, log } from '../log.ts'
import { UserFacingError } from '../user-facing-error.ts'
import { type AgentClient, AgentNotReady, AgentRefused } from './agent-client.ts'
import { followTurn, type NumberedEvent } from './agent-events.ts'
import { AnswerRenderer } from './answer-renderer.ts'
import { lookUp } from './catalogue/catalogue.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { type FinishPorts, finishTurn } from './finish-turn.ts'
import { buildFrame } from './frame.ts'
import { fileName } from './outgoing-file.ts'
import { settledOrAborted } from './settled-or-aborted.ts'
import { isStaleIsolate } from './stale-isolate.ts'
import type { Streamer } from './streamer.ts'
import { renderCaption } from './text/caption.ts'
import { advance, answerOf, errorCodeOf, NO_PROGRESS, type TurnProgress } from './turn-progress.ts'
import type { PreparedTurn, TurnRow } from './turn-store.ts'

/** Words alone are saved this often: after a crash the agent sends them again, and every save waits for the disk. */
const SAVE_EVERY_MS = 1_000
/** How long a stopped agent may take to say its last word. */
const STOP_GRACE_MS = 800
/** A stop may overtake the turn's own start on the way to the agent. */
const STOP_AGAIN_MS = 200
/** Tries in a row without anything new: about two minutes. */
const MAX_FAILURES = 12
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 15_000
const MAX_FILES = 100
const MAX_PATH_CHARS = 1_024

export interface TurnRunPorts extends FinishPorts {
  readonly streamer: Streamer
  agent(agentId: string): Promise<AgentClient>
  /** Files into the workspace, words for the agent; kept with the turn. Nothing is kept after the signal. */
  prepare(row: TurnRow, agent: AgentClient, signal: AbortSignal): Promise<PreparedTurn>
  /** The chat's name for the agent. */
  readonly agentChat: string
  /** Tells the agent of stops it has not heard of. @throws when it does not answer */
  settleStops(row: TurnRow, agent: AgentClient): Promise<void>
  /** The agent has begun: it takes more words now. */
  onStarted(): void
  /** The answer has begun to show. */
  onFirstWords?(): void
  /** The final is in the outbox. */
  onEnded?(outcome: TurnOutcome): void
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** How long an agent's stream may be silent; tests are less patient. */
  readonly silenceMs?: number
}

export interface TurnOutcome {
  readonly result: 'done' | 'stopped' | 'failed'
  /** Of a turn that failed: the agent's code, or that it could not be had. */
  readonly code?: string
}

export class TurnRun {
  readonly row: TurnRow
  readonly #ports: TurnRunPorts
  readonly #stop = new AbortController()
  /** Fires when a stopped agent has had its time. */
  readonly #cut = new AbortController()
  readonly #renderer = new AnswerRenderer()
  #agent: AgentClient | undefined
  /** Files are brought once: the agent may have changed them since. */
  #prepared: PreparedTurn | undefined
  #progress: TurnProgress
  #savedAt = 0
  #unsaved = false
  #failures: number
  /** The agent may know of this turn. */
  #asked: boolean
  /** The agent has heard of every stop from before this turn. */
  #isSettled: boolean
  /** The agent said that it stopped something. */
  #agentStopped = false
  #abandoned = false

  constructor(row: TurnRow, ports: TurnRunPorts) {
    this.row = row
    this.#ports = ports
    this.#progress = row.progress ?? NO_PROGRESS
    this.#failures = row.failures
    this.#prepared = row.prepared
    this.#asked = row.prepared !== undefined
    // One that was given up was asked before this row was there.
    this.#isSettled = this.#asked && row.agentTurnId === row.turnId
    if (row.stopRequested) this.#stop.abort()
  }

  get progress(): TurnProgress {
    return this.#progress
  }

  /** The agent, once it has begun with the turn: before, it takes no words for it. */
  get agent(): AgentClient | undefined {
    return this.#progress.cursor > 0 ? this.#agent : undefined
  }

  get stopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** Returns when the turn has ended, or was handed over because `over` fired. */
  async run(over: AbortSignal): Promise<void> {
    const { streamer } = this.#ports
    // What was said before a restart shows at once.
    this.#show()
    if (this.stopping) this.#giveGrace()
    else streamer.start()
    try {
      const problem = await this.#work(over)
      await streamer.close()
      if (over.aborted && problem === undefined && !this.#isOver()) {
        this.#ports.turns.markEditing(this.row.turnId, this.#mayBeOvertaken())
        return
      }
      if (this.#wasStoppedMeanwhile()) this.#askAnew()
      else if (!this.#abandoned) this.#finish(problem)
    } finally {
      if (!this.#abandoned) this.#save()
      await streamer.close()
    }
  }

  /** Takes effect within a second, whether the agent answers or not. Safe to repeat. */
  stop(): void {
    if (this.stopping) return
    this.#stop.abort()
    void this.#ports.streamer.close()
    this.#giveGrace()
    // Nobody has told the agent of this turn: there is nothing to wait for.
    if (!this.#asked) this.#cut.abort()
    else if (this.#agent) void this.#tellAgentToStop(this.#agent)
  }

  /** Ends without a word: nothing of it is wanted any more, by anybody. */
  abandon(): void {
    this.#abandoned = true
    this.#cut.abort()
    void this.#ports.streamer.close()
    if (this.#asked && this.#agent) void this.#tellAgentOnce(this.#agent)
  }

  /** A message appeared in the chat. */
  wiped(): void {
    this.#ports.streamer.wiped()
  }

  /** @returns what went wrong, for the person; `undefined` when the agent said "done", was stopped, or `over` fired */
  async #work(over: AbortSignal): Promise<string | undefined> {
    const end = AbortSignal.any([over, this.#cut.signal])
    while (!end.aborted && !this.#isOver()) {
      const before = this.#progress.cursor
      try {
        await settledOrAborted(this.#ask(end), end)
        if (end.aborted || this.#isOver()) break
        // A stream that ends without a word more is no better than none.
        if (this.#progress.cursor === before) this.#noteFailure()
      } catch (error) {
        if (end.aborted || this.#isOver()) break
        const problem = this.#judge(error)
        if (problem !== undefined) return problem
      }
      if (this.#failures >= MAX_FAILURES) return this.#ports.words().unreachable
      await this.#pause(end)
    }
    return this.#progress.done === 'error' ? problemOf(this.#progress, this.#ports.words()) : undefined
  }

  /** Asks the agent, or asks it again from where its answer is kept, and reads until the stream ends. */
  async #ask(end: AbortSignal): Promise<void> {
    this.#agent ??= await this.#ports.agent(this.row.input.agentId)
    if (!this.#isSettled) await this.#ports.settleStops(this.row, this.#agent)
    this.#isSettled = true
    if (end.aborted) return
    this.#prepared ??= await this.#ports.prepare(this.row, this.#agent, end)
    if (end.aborted) return
    if (this.stopping) void this.#tellAgentToStop(this.#agent)
    this.#asked = true
    const { silenceMs } = this.#ports
    const events = followTurn(this.#agent, this.#request(this.#prepared), {
      after: this.#progress.cursor,
      signal: end,
      silenceMs,
    })
    for await (const batch of events) {
      // After the end nothing is taken any more: the turn may be in other hands.
      if (end.aborted) return
      this.#take(batch)
      if (this.#progress.done) return
    }
  }

  #request({ message, attachments }: PreparedTurn): ChatRequest {
    const { user } = this.row.input
    return {
      message,
      chat_id: this.#ports.agentChat,
      turn_id: this.row.agentTurnId,
      user: { ...user, id: String(user.id) },
      ...(attachments.length > 0 ? { attachments } : {}),
    }
  }

  #take(events: readonly NumberedEvent[]): void {
    const before = this.#progress
    const files: { id: number; path: string; caption: string | undefined }[] = []
    let important = false
    for (const { id, event } of events) {
      if (id <= this.#progress.cursor) continue
      this.#progress = event ? advance(this.#progress, id, event) : { ...this.#progress, cursor: id }
      if (event?.type === 'file' && isHandedOver(event.path, this.#progress.files))
        files.push({ id, path: event.path, caption: event.caption })
      important ||= event !== undefined && event.type !== 'delta' && event.type !== 'keepalive'
    }
    if (this.#progress === before) return
    if (before.cursor === 0) this.#ports.onStarted()
    if (!hasWords(before) && hasWords(this.#progress)) this.#ports.onFirstWords?.()
    this.#failures = 0
    this.#unsaved = true
    if (important || this.#ports.now() - this.#savedAt >= SAVE_EVERY_MS) {
      try {
        this.#save(files)
      } catch (error) {
        // What is not kept must be read again, its files with it.
        this.#progress = before
        throw error
      }
    }
    this.#show()
  }

  #save(files: readonly { id: number; path: string; caption: string | undefined }[] = []): void {
    if (!this.#unsaved) return
    const { database, turns, outbox, now, onOutgoing } = this.#ports
    const { turnId, agentTurnId, input } = this.row
    database.transaction(() => {
      turns.saveProgress(turnId, this.#progress)
      for (const { id, path, caption } of files) {
        const text = caption === undefined ? {} : { caption: renderCaption(caption) }
        const file = {
          kind: 'agent_file',
          agentId: input.agentId,
          from: { path },
          name: fileName(path),
          ...text,
        } as const
        // Read again from the beginning, it is the same file.
        outbox.add(`t:${agentTurnId}:file:${id}`, file, now())
      }
    })
    this.#unsaved = false
    this.#savedAt = now()
    if (files.length > 0) onOutgoing()
  }

  #show(): void {
    this.#ports.streamer.show(() => {
      const answer = this.#renderer.render(answerOf(this.#progress))
      return buildFrame(this.#progress, answer, { quiet: this.#ports.quiet })
    })
  }

  /** Asked once more after it was given up, it turns out to have been stopped, and not by whoever asks now. */
  #wasStoppedMeanwhile(): boolean {
    const isFormer = this.row.agentTurnId !== this.row.turnId
    return isFormer && this.#progress.done === 'cancelled' && !this.stopping && !this.#abandoned
  }

  /** There is no answer that it could bring: the next run asks under a name of its own. */
  #askAnew(): void {
    this.#unsaved = false
    this.#ports.turns.askAnew(this.row)
  }

  #isOver(): boolean {
    return this.#progress.done !== undefined || this.#cut.signal.aborted
  }

  /** @returns what to tell the person, when trying again cannot help */
  #judge(error: unknown): string | undefined {
    if (isStaleIsolate(error)) throw error
    const { turnId, input } = this.row
    log('warn', 'turn_interrupted', { turn: turnId, agent: input.agentId, error: describeError(error) })
    if (error instanceof AgentNotReady) return this.#ports.words().notReady
    if (error instanceof AgentRefused) {
      // What is refused from the beginning does not run.
      this.#asked &&= this.#progress.cursor > 0
      return refusalOf(error, this.#ports.words())
    }
    this.#noteFailure()
    if (this.#failures < MAX_FAILURES) return undefined
    return error instanceof UserFacingError ? this.#ports.words().unreachable : this.#ports.words().failed
  }

  #noteFailure(): void {
    this.#failures += 1
    this.#ports.turns.noteFailure(this.row.turnId)
  }

  async #pause(end: AbortSignal): Promise<void> {
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - 1))
    await this.#ports.sleep(pauseMs, end)
  }

  /** Whatever the agent does, the turn ends here. */
  #giveGrace(): void {
    void this.#ports.sleep(STOP_GRACE_MS, this.#cut.signal).then(() => this.#cut.abort())
  }

  async #tellAgentToStop(agent: AgentClient): Promise<void> {
    while (!this.#agentStopped && !this.#isOver()) {
      await this.#tellAgentOnce(agent)
      await this.#ports.sleep(STOP_AGAIN_MS, this.#cut.signal)
    }
  }

  async #tellAgentOnce(agent: AgentClient): Promise<void> {
    try {
      this.#agentStopped = await agent.stop(this.#ports.agentChat, { turnId: this.row.agentTurnId })
    } catch (error) {
      log('warn', 'agent_stop_failed', { turn: this.row.turnId, error: describeError(error) })
    }
  }

  #finish(problem: string | undefined): void {
    const { stopping: stopped } = this
    const isSettled = this.#progress.done !== undefined || this.#agentStopped
    const owesStop = stopped && this.#asked && !isSettled
    const givenUp = problem !== undefined && !stopped && this.#asked && !isSettled
    const mayBeOvertaken = this.#mayBeOvertaken()
    const end = { progress: this.#progress, problem, stopped, owesStop, givenUp, mayBeOvertaken }
    finishTurn(this.row, end, this.#ports)
    this.#unsaved = false
    this.#ports.onEnded?.(this.#outcomeOf(problem))
  }

  #mayBeOvertaken(): boolean {
    return this.row.editing || this.#ports.streamer.hasLostEdit
  }

  #outcomeOf(problem: string | undefined): TurnOutcome {
    if (problem === undefined) return { result: this.stopping ? 'stopped' : 'done' }
    return { result: 'failed', code: countedCode(errorCodeOf(this.#progress)) }
  }
}

function hasWords({ live, settled }: TurnProgress): boolean {
  return live !== '' || settled.length > 0
}

/** Far above what a turn hands over: an agent gone wild must not fill the chat. */
function isHandedOver(path: string, count: number): boolean {
  return count <= MAX_FILES && path.length <= MAX_PATH_CHARS
}

/** An agent's machine is not ours to trust: what it makes up is counted as one. */
function countedCode(code: string | undefined): string {
  if (code === undefined) return 'agent_unavailable'
  return ErrorCode.safeParse(code).data ?? 'other'
}

function problemOf(progress: TurnProgress, words: DeliveryWords): string {
  const code = errorCodeOf(progress)
  if (code === undefined) return words.failed
  return lookUp(words.failures, code) ?? (progress.error?.content.trim() || words.failed)
}

function refusalOf({ status, code }: AgentRefused, words: DeliveryWords): string {
  if (code === 'agent_disk_full') return words.failures.storage
  return status === 401 || status === 403 ? words.refused : words.failed
}
