/**
 * Shows a turn while it runs. The latest frame wins: whatever was not sent in time is never sent. Signs of life are not in
 * the outbox, since losing one harms nobody; the message that is edited in their place is (`openPreview`).
 */
import { describeError, log } from '../log.ts'
import type { ChatBudget } from './chat-budget.ts'
import { EMPTY_FRAME, type Frame } from './frame.ts'
import { nextSign, type Sign, type SignMode, type SignState } from './signs-of-life.ts'
import { classifyFailure } from './telegram-failure.ts'
import { type FormattedText, plainText } from './text/formatted-text.ts'

export interface StreamerPorts {
  readonly budget: Pick<ChatBudget, 'call' | 'slowdown'>
  sendDraft(text: FormattedText): Promise<void>
  sendTyping(): Promise<void>
  editPreview(messageId: number, text: FormattedText): Promise<void>
  /** The first edit is about to begin. */
  onEditing(): void
  /** Sends the message that will be edited, through the outbox. @returns its id, `undefined` if it could not be sent */
  openPreview(text: FormattedText, signal: AbortSignal): Promise<number | undefined>
  /** The chat is closed to us, as far as a call of that time can tell. */
  onClosed(reason: string, calledAt: number): void
  /** The group has another id from now on. */
  onMigrated(chatId: number): void
  /** The topic is gone: from now on the same goes to the chat itself. */
  onThreadGone(): void
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export interface StreamerOptions {
  readonly mode: SignMode
  readonly kind: 'private' | 'group'
  /** Of a turn that goes on after a restart. */
  readonly previewId?: number | undefined
  readonly startedAt: number
}

/** After a failure that says nothing: the next try. */
const FAILED_PAUSE_MS = 2_000
/** Rendering costs more than reading: tokens come faster than anybody can see. */
const RENDER_EVERY_MS = 200
const MAX_PAUSE_MS = 60_000

export class Streamer {
  readonly #ports: StreamerPorts
  readonly #over = new AbortController()
  #state: SignState
  #previewId: number | undefined
  #changed = new AbortController()
  #loop: Promise<void> | undefined
  #plain = false
  #notBefore = 0
  #build: (() => Frame) | undefined
  #builtAt = 0
  /** How often something took the draft away. */
  #wipes = 0
  #isEditing = false
  #hasLostEdit = false

  constructor(options: StreamerOptions, ports: StreamerPorts) {
    this.#ports = ports
    this.#previewId = options.previewId
    this.#state = {
      mode: options.mode,
      kind: options.kind,
      startedAt: options.startedAt,
      contentAt: undefined,
      frame: EMPTY_FRAME,
      shown: undefined,
      frameAt: undefined,
      typingAt: undefined,
      hasPreview: options.previewId !== undefined,
      slowdown: 1,
    }
  }

  /** What became of an edit is not known: it may still come, after everything else. */
  get hasLostEdit(): boolean {
    return this.#hasLostEdit
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** @param build renders what there is to see, when it is needed: many changes, few renderings */
  show(build: () => Frame): void {
    this.#build = build
    this.#changed.abort()
  }

  /** A message appeared in the chat, and the draft is gone with it: show it again. */
  wiped(): void {
    this.#wipes += 1
    if (this.#state.mode === 'draft' && this.#state.shown !== undefined) this.#update({ shown: undefined })
  }

  /** Nothing more is shown from now on; resolves when nothing more is under way either. */
  async close(): Promise<void> {
    this.#over.abort()
    await this.#loop
  }

  #update(change: Partial<SignState>): void {
    this.#state = { ...this.#state, ...change }
    this.#changed.abort()
  }

  async #run(): Promise<void> {
    const over = this.#over.signal
    while (!over.aborted) {
      this.#changed = new AbortController()
      const buildIn = this.#rebuild()
      const sign = nextSign({ ...this.#state, slowdown: this.#ports.budget.slowdown })
      const at = Math.max(sign.at, this.#notBefore)
      const wait = at - this.#ports.now()
      if (wait > 0) {
        // What comes in meanwhile wakes it, unless it was rendered only just now.
        const wake = buildIn > 0 ? over : AbortSignal.any([over, this.#changed.signal])
        await this.#ports.sleep(Math.min(wait, buildIn || MAX_PAUSE_MS), wake)
        continue
      }
      await this.#give(sign)
    }
  }

  /** @returns ms until something new is rendered, 0 when nothing waits for it */
  #rebuild(): number {
    if (!this.#build) return 0
    const now = this.#ports.now()
    const rest = this.#builtAt + RENDER_EVERY_MS - now
    if (rest > 0 && this.#state.contentAt !== undefined) return rest
    const frame = this.#frameOf(this.#build)
    this.#build = undefined
    this.#builtAt = now
    this.#state = {
      ...this.#state,
      frame,
      contentAt: this.#state.contentAt ?? (frame.text.text === '' ? undefined : now),
    }
    return 0
  }

  /** A frame that cannot be made is left out: the turn itself must not suffer from it. */
  #frameOf(build: () => Frame): Frame {
    try {
      return build()
    } catch (error) {
      log('error', 'frame_not_rendered', { error: describeError(error) })
      return this.#state.frame
    }
  }

  async #give(sign: Sign): Promise<void> {
    let text: FormattedText | undefined
    let wipes = this.#wipes
    let calledAt = this.#ports.now()
    try {
      if (sign.kind === 'open') {
        await this.#open()
        return
      }
      const urgency = sign.kind === 'typing' ? 'action' : 'frame'
      const went = await this.#ports.budget.call(
        urgency,
        async () => {
          // Decided when its turn has come: the newest frame, not the one that asked.
          this.#builtAt = 0
          this.#rebuild()
          text = this.#text()
          calledAt = this.#ports.now()
          wipes = this.#wipes
          await this.#send(sign.kind, text)
          return true
        },
        { signal: this.#over.signal },
      )
      if (!went) return
      this.#given(sign, text)
      // Nobody knows which of the two came first.
      if (sign.kind === 'draft' && wipes !== this.#wipes) this.#state = { ...this.#state, shown: undefined }
    } catch (error) {
      this.#failed(sign, error, { text, calledAt })
    }
  }

  async #send(kind: Sign['kind'], text: FormattedText): Promise<void> {
    if (kind === 'typing') await this.#ports.sendTyping()
    else if (kind === 'draft') await this.#ports.sendDraft(text)
    else if (this.#previewId !== undefined) await this.#edit(this.#previewId, text)
  }

  async #edit(previewId: number, text: FormattedText): Promise<void> {
    if (!this.#isEditing) this.#ports.onEditing()
    this.#isEditing = true
    try {
      await this.#ports.editPreview(previewId, text)
    } catch (error) {
      this.#hasLostEdit ||= classifyFailure(error).kind === 'unknown'
      throw error
    }
  }

  #given(sign: Sign, text: FormattedText | undefined): void {
    const now = this.#ports.now()
    if (sign.kind === 'typing') this.#state = { ...this.#state, typingAt: now }
    else this.#state = { ...this.#state, shown: text?.text, frameAt: now }
    this.#plain = false
  }

  async #open(): Promise<void> {
    const text = this.#text()
    const id = await this.#ports.openPreview(text, this.#over.signal)
    const now = this.#ports.now()
    this.#previewId = id
    // Its row has ended, and will not be sent again.
    if (id === undefined) this.#state = { ...this.#state, mode: 'typing' }
    else this.#state = { ...this.#state, hasPreview: true, shown: text.text, frameAt: now }
  }

  #failed(sign: Sign, error: unknown, { text, calledAt }: { text: FormattedText | undefined; calledAt: number }): void {
    const failure = classifyFailure(error)
    const now = this.#ports.now()
    switch (failure.kind) {
      case 'not_modified':
        this.#given(sign, text)
        return
      case 'blocked':
      case 'chat_gone':
        this.#over.abort()
        this.#ports.onClosed(failure.message, calledAt)
        return
      case 'thread_gone':
        this.#ports.onThreadGone()
        this.#notBefore = now + FAILED_PAUSE_MS
        return
      case 'drafts_refused':
        this.#update({ mode: 'edit', shown: undefined })
        return
      case 'target_gone':
        // Somebody took the preview away: another would be taken away too.
        this.#previewId = undefined
        this.#update({ mode: 'typing', hasPreview: false, shown: undefined })
        return
      case 'refused':
        // Once without formatting; then this frame is left out. Typing has none.
        if (this.#plain || sign.kind === 'typing') this.#given(sign, text)
        else this.#plain = true
        log('warn', 'preview_refused', { sign: sign.kind, error: failure.message })
        return
      case 'migrated':
        if (failure.migratedTo !== undefined) this.#ports.onMigrated(failure.migratedTo)
        this.#notBefore = now + FAILED_PAUSE_MS
        return
      case 'unauthorized':
        this.#notBefore = now + MAX_PAUSE_MS
        return
      default:
        // A penalty is the budget's to sit out; anything else is tried again with the next frame.
        if (failure.kind !== 'retry_after') this.#notBefore = now + FAILED_PAUSE_MS
        log('info', 'preview_failed', { sign: sign.kind, error: describeError(failure) })
    }
  }

  #text(): FormattedText {
    const { text } = this.#state.frame
    return this.#plain ? plainText(text.text) : text
  }
}
