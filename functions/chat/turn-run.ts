/**
 * One turn, from the agent's first event to the rows of the final. The agent goes on without its reader and never runs the
 * same turn id twice, so whatever breaks here is picked up where it was saved: cursor and text in one statement, files in
 * the same transaction as the event that named them.
 */
import { AgentEvent, type ChatRequest } from '../../agent-vm/protocol.ts'
import { describeError, log } from '../log.ts'
import { UserFacingError } from '../user-facing-error.ts'
import { type AgentClient, AgentNotReady, AgentRefused } from './agent-client.ts'
import { AnswerRenderer } from './answer-renderer.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { buildFinal, previewRef } from './final.ts'
import { buildFrame } from './frame.ts'
import type { Outbox } from './outbox.ts'
import { fileName } from './outgoing-file.ts'
import { readEvents, type ServerSentEvent } from './sse.ts'
import { isStaleIsolate } from './stale-isolate.ts'
import type { Streamer } from './streamer.ts'
import { renderCaption } from './text/caption.ts'
import { advance, answerOf, NO_PROGRESS, type TurnProgress } from './turn-progress.ts'
import type { PreparedTurn, TurnRow, TurnStore } from './turn-store.ts'

/** The agent sends a keepalive every 15 s: this long without anything means that the connection is dead. */
const SILENCE_MS = 45_000
/** Words alone are saved this often: after a crash the agent sends them again, and every save waits for the disk. */
const SAVE_EVERY_MS = 1_000
/** How long a stopped agent may take to say its last word. */
const STOP_GRACE_MS = 800
/** Tries in a row without anything new: about two minutes. */
const MAX_FAILURES = 12
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 15_000
const MAX_FILES = 100
const MAX_PATH_CHARS = 1_024

export interface TurnRunPorts {
  readonly database: ChatDatabase
  readonly turns: TurnStore
  readonly outbox: Outbox
  readonly streamer: Streamer
  agent(agentId: string): Promise<AgentClient>
  /** Files into the workspace, words for the agent; kept with the turn. */
  prepare(row: TurnRow, agent: AgentClient): Promise<PreparedTurn>
  /** The chat's name for the agent. */
  readonly agentChat: string
  readonly quiet: boolean
  readonly isGroup: boolean
  words(): DeliveryWords
  /** The agent has begun: it takes more words now. */
  onStarted(): void
  /** There are new rows in the outbox. */
  onOutgoing(): void
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export class TurnRun {
  readonly row: TurnRow
  readonly #ports: TurnRunPorts
  readonly #stop = new AbortController()
  /** Fires when a stopped agent has had its time. */
  readonly #cut = new AbortController()
  readonly #renderer = new AnswerRenderer()
  #agent: AgentClient | undefined
  #progress: TurnProgress
  #savedAt = 0
  #unsaved = false
  #failures: number

  constructor(row: TurnRow, ports: TurnRunPorts) {
    this.row = row
    this.#ports = ports
    this.#progress = row.progress ?? NO_PROGRESS
    this.#failures = row.failures
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
    if (!this.stopping) streamer.start()
    try {
      const problem = await this.#work(over)
      if (over.aborted && problem === undefined && !this.#isOver()) return
      await streamer.close()
      this.#finish(problem)
    } finally {
      this.#save()
      await streamer.close()
    }
  }

  /** Takes effect within a second, whether the agent answers or not. Safe to repeat. */
  async stop(): Promise<void> {
    if (this.stopping) return
    this.#stop.abort()
    void this.#ports.streamer.close()
    await this.#tellAgentToStop()
  }

  /** A message appeared in the chat. */
  wiped(): void {
    this.#ports.streamer.wiped()
  }

  /** @returns what went wrong, for the person; `undefined` when the agent said "done", was stopped, or `over` fired */
  async #work(over: AbortSignal): Promise<string | undefined> {
    while (!over.aborted && !this.#isOver()) {
      try {
        const agent = await this.#reach()
        const prepared = this.row.prepared ?? (await this.#ports.prepare(this.row, agent))
        if (this.stopping) await this.#tellAgentToStop()
        await this.#follow(agent, prepared, over)
      } catch (error) {
        if (over.aborted || this.#isOver()) break
        const problem = this.#judge(error)
        if (problem !== undefined) return problem
      }
      if (over.aborted || this.#isOver()) break
      await this.#pause(over)
      if (this.#failures >= MAX_FAILURES) return this.#ports.words().unreachable
    }
    const { error } = this.#progress
    return this.#progress.done === 'error' ? problemOf(error, this.#ports.words()) : undefined
  }

  async #reach(): Promise<AgentClient> {
    this.#agent ??= await this.#ports.agent(this.row.input.agentId)
    return this.#agent
  }

  async #follow(agent: AgentClient, prepared: PreparedTurn, over: AbortSignal): Promise<void> {
    const idle = new AbortController()
    const signal = AbortSignal.any([over, this.#cut.signal, idle.signal])
    const request = this.#request(prepared)
    const stream = await agent.startTurn(request, { after: this.#progress.cursor, signal })
    let timer = setTimeout(() => idle.abort(), SILENCE_MS)
    try {
      for await (const events of readEvents(stream)) {
        clearTimeout(timer)
        timer = setTimeout(() => idle.abort(), SILENCE_MS)
        this.#take(events)
        if (this.#progress.done) return
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #request({ message, attachments }: PreparedTurn): ChatRequest {
    const { user } = this.row.input
    return {
      message,
      chat_id: this.#ports.agentChat,
      turn_id: this.row.turnId,
      user: { id: String(user.id), name: user.name, role: user.role },
      ...(attachments.length > 0 ? { attachments } : {}),
    }
  }

  #take(events: readonly ServerSentEvent[]): void {
    const before = this.#progress
    const files: { id: number; path: string; caption: string | undefined }[] = []
    let important = false
    for (const { id, event } of events.map(parseEvent)) {
      if (id <= this.#progress.cursor) continue
      this.#progress = event ? advance(this.#progress, id, event) : { ...this.#progress, cursor: id }
      if (event?.type === 'file' && isHandedOver(event.path, this.#progress.files))
        files.push({ id, path: event.path, caption: event.caption })
      important ||= event !== undefined && event.type !== 'delta' && event.type !== 'keepalive'
    }
    if (this.#progress === before) return
    if (before.cursor === 0) this.#ports.onStarted()
    this.#failures = 0
    this.#unsaved = true
    if (important || this.#ports.now() - this.#savedAt >= SAVE_EVERY_MS) this.#save(files)
    this.#show()
  }

  #save(files: readonly { id: number; path: string; caption: string | undefined }[] = []): void {
    if (!this.#unsaved) return
    const { database, turns, outbox, now, onOutgoing } = this.#ports
    const { turnId, input } = this.row
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
        outbox.add(`t:${turnId}:file:${id}`, file, now())
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

  #isOver(): boolean {
    return this.#progress.done !== undefined || this.#cut.signal.aborted
  }

  /** @returns what to tell the person, when trying again cannot help */
  #judge(error: unknown): string | undefined {
    if (isStaleIsolate(error)) throw error
    const { turnId, input } = this.row
    log('warn', 'turn_interrupted', { turn: turnId, agent: input.agentId, error: describeError(error) })
    if (error instanceof AgentNotReady) return this.#ports.words().notReady
    if (error instanceof AgentRefused) return error.userMessage
    this.#failures += 1
    this.#ports.turns.noteFailure(turnId)
    if (this.#failures < MAX_FAILURES) return undefined
    return error instanceof UserFacingError ? this.#ports.words().unreachable : this.#ports.words().failed
  }

  async #pause(over: AbortSignal): Promise<void> {
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - 1))
    await this.#ports.sleep(pauseMs, AbortSignal.any([over, this.#cut.signal]))
  }

  async #tellAgentToStop(): Promise<void> {
    const cut = this.#ports.sleep(STOP_GRACE_MS, this.#cut.signal).then(() => this.#cut.abort())
    const told = this.#agent?.stop(this.#ports.agentChat).catch((error: unknown) => {
      log('warn', 'agent_stop_failed', { turn: this.row.turnId, error: describeError(error) })
    })
    await Promise.all([cut, told])
  }

  #finish(problem: string | undefined): void {
    const { database, turns, outbox, now, quiet, isGroup, words, onOutgoing } = this.#ports
    const { turnId, input } = this.row
    const ref = previewRef(turnId)
    const preview = outbox.findByKey(previewKey(turnId))
    // A preview that still waits for its turn is not needed any more.
    const isUnsent = preview?.state === 'pending'
    const outgoing = buildFinal({
      turnId,
      progress: this.#progress,
      quiet,
      rich: input.rich,
      replyTo: isGroup ? input.sources[0]?.message_id : undefined,
      hasPreview:
        preview !== undefined && !isUnsent && (preview.state !== 'sent' || outbox.resolve({ ref }) !== undefined),
      problem,
      stopped: this.stopping,
      words: words(),
    })
    database.transaction(() => {
      turns.saveProgress(turnId, this.#progress)
      if (preview && isUnsent) outbox.end(preview.seq, 'dropped', 'the final came first', now())
      outgoing.forEach((action, index) => {
        outbox.add(`t:${turnId}:final:${index}`, action, now())
      })
      turns.end(turnId, problem === undefined ? 'done' : 'failed', now())
    })
    this.#unsaved = false
    onOutgoing()
  }
}

/** Far above what a turn hands over: an agent gone wild must not fill the chat. */
function isHandedOver(path: string, count: number): boolean {
  return count <= MAX_FILES && path.length <= MAX_PATH_CHARS
}

export function previewKey(turnId: string): string {
  return `t:${turnId}:preview`
}

/** An event that is not understood still moves the cursor: a newer agent may send kinds we do not know. */
function parseEvent({ id, data }: ServerSentEvent): { id: number; event: AgentEvent | undefined } {
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    json = undefined
  }
  const number = Number(id)
  return { id: Number.isSafeInteger(number) ? number : 0, event: AgentEvent.safeParse(json).data }
}

function problemOf(error: TurnProgress['error'], words: DeliveryWords): string {
  if (error?.code === 'interrupted') return words.interrupted
  return error?.content.trim() || words.failed
}
