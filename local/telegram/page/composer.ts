/** Where a person writes: text, commands, files, replies, edits, and the keyboard a bot put there. */
import type { Message } from 'grammy/types'
import { api, RefusedByServer, type Where } from './api.ts'
import { h, icon, refill } from './dom.ts'
import { askFiles } from './file-dialog.ts'
import { summary } from './format.ts'
import { isForceReply, isOneTime, keyboardRows, placeholder } from './markup.ts'
import type { Store } from './store.ts'
import { popupMenu, toast } from './toast.ts'

const MAX_HEIGHT_PX = 200

type Mode = { readonly kind: 'reply' | 'edit'; readonly message: Message; readonly quote?: string } | undefined

export class Composer {
  readonly element: HTMLElement
  readonly #store: Store
  readonly #input: HTMLTextAreaElement
  readonly #bar: HTMLElement
  readonly #suggestions: HTMLElement
  readonly #keyboard: HTMLElement
  readonly #send: HTMLButtonElement
  readonly #menu: HTMLButtonElement
  readonly #keyboardToggle: HTMLButtonElement
  readonly #start: HTMLButtonElement
  readonly #row: HTMLElement
  #mode: Mode
  #selected = 0
  #keyboardHidden = false
  #keyboardOf = ''
  /** Unsent texts by chat, as the apps keep them. */
  readonly #unsent = new Map<string, string>()

  constructor(store: Store) {
    this.#store = store
    this.#input = h('textarea', {
      testid: 'composer',
      attrs: { rows: 1, placeholder: 'Message', 'aria-label': 'Message', enterkeyhint: 'send' },
    })
    this.#bar = h('div', { class: 'mode-bar', testid: 'mode-bar', attrs: { hidden: true } })
    this.#suggestions = h('div', {
      class: 'suggestions',
      testid: 'commands',
      attrs: { role: 'listbox', 'aria-label': 'Commands', hidden: true },
    })
    this.#keyboard = h('div', { class: 'reply-keyboard', testid: 'reply-keyboard', attrs: { hidden: true } })
    this.#menu = h(
      'button',
      { class: 'menu-button', testid: 'command-menu', attrs: { type: 'button', 'aria-label': 'Commands' } },
      icon('menu'),
      h('span', {}, 'Menu'),
    )
    const attach = h(
      'button',
      { class: 'round', testid: 'attach', title: 'Attach', attrs: { type: 'button', 'aria-label': 'Attach' } },
      icon('attach'),
    )
    this.#keyboardToggle = h(
      'button',
      {
        class: 'round',
        testid: 'keyboard-toggle',
        title: 'Keyboard',
        attrs: { type: 'button', 'aria-label': 'Show or hide the keyboard', hidden: true },
      },
      icon('keyboard'),
    )
    this.#send = h(
      'button',
      { class: 'round send', testid: 'send', title: 'Send', attrs: { type: 'submit', 'aria-label': 'Send' } },
      icon('send'),
    )
    this.#start = h('button', { class: 'start', testid: 'start', attrs: { type: 'button', hidden: true } }, 'START')
    const form = h(
      'form',
      { class: 'composer-form' },
      this.#menu,
      attach,
      this.#input,
      this.#keyboardToggle,
      this.#send,
    )
    this.#row = h('div', { class: 'composer-row' }, this.#bar, form)
    this.element = h('footer', { class: 'composer' }, this.#suggestions, this.#row, this.#start, this.#keyboard)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    this.#input.addEventListener('keydown', (event) => this.#onKey(event))
    this.#input.addEventListener('input', () => this.#onInput())
    this.#input.addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      this.attach(files)
    })
    this.#menu.addEventListener('click', () => this.#toggleCommands())
    attach.addEventListener('click', () => this.#attachMenu(attach))
    this.#keyboardToggle.addEventListener('click', () => {
      this.#keyboardHidden = !this.#keyboardHidden
      this.draw()
    })
    this.#start.addEventListener('click', () => this.#run(api.start(this.#store.userId)))
  }

  draw(): void {
    const { chat } = this.#store
    const isClosed = chat !== undefined && (!chat.started || chat.blocked)
    this.#start.hidden = !isClosed
    this.#start.textContent = chat?.blocked ? 'RESTART BOT' : 'START'
    this.#row.hidden = isClosed
    this.#menu.hidden = !chat || chat.commands.length === 0 || chat.type !== 'private'
    this.#drawKeyboard()
    this.#drawMode()
    if (isClosed) this.#suggestions.hidden = true
  }

  /** Another chat is open: its own unsent text comes back. */
  switchTo(before: string, after: string): void {
    this.#unsent.set(before, this.#input.value)
    this.#mode = undefined
    this.#keyboardHidden = false
    this.#setText(this.#unsent.get(after) ?? '')
    this.draw()
  }

  reply(message: Message, quote?: string): void {
    this.#mode = { kind: 'reply', message, ...(quote ? { quote } : {}) }
    this.#drawMode()
    this.#input.focus()
  }

  edit(message: Message): void {
    this.#mode = { kind: 'edit', message }
    this.#setText(message.text ?? message.caption ?? '')
    this.#drawMode()
    this.#input.focus()
  }

  focus(): void {
    if (!this.#row.hidden && matchMedia('(pointer: fine)').matches) this.#input.focus({ preventScroll: true })
  }

  attach(files: readonly File[]): void {
    const where = this.#where()
    if (!where || files.length === 0) return
    const replyTo = this.#mode?.kind === 'reply' ? this.#mode.message.message_id : undefined
    askFiles(files, this.#input.value).then(async (answer) => {
      if (!answer) return
      this.#setText('')
      this.#mode = undefined
      this.#drawMode()
      await answer.send(where, replyTo)
    }, report)
  }

  send(text: string): void {
    const where = this.#where()
    if (where) this.#run(api.text(where, text))
  }

  #where(): Where | undefined {
    const { open, userId } = this.#store
    return open ? { from: userId, ...open } : undefined
  }

  #submit(): void {
    const text = this.#input.value.trim()
    const where = this.#where()
    if (!text || !where) return
    const mode = this.#mode
    this.#setText('')
    this.#mode = undefined
    this.#drawMode()
    if (mode?.kind === 'edit') {
      this.#run(api.edit(where.from, where.chat, mode.message.message_id, text))
    } else {
      const reply = mode ? { id: mode.message.message_id, quote: mode.quote } : this.#forcedReply()
      this.#run(api.text(where, text, reply))
    }
    this.#input.focus()
  }

  #run(work: Promise<unknown>): void {
    work.catch(report)
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing) return
    if (!this.#suggestions.hidden && this.#onSuggestionKey(event)) return
    if (event.key === 'Enter' && !event.shiftKey && matchMedia('(pointer: fine)').matches) {
      event.preventDefault()
      this.#submit()
    } else if (event.key === 'Escape' && this.#mode) {
      event.preventDefault()
      this.#leaveMode()
    } else if (event.key === 'ArrowUp' && this.#input.value === '') {
      const last = this.#store.messages.findLast(({ from, text }) => from?.id === this.#store.userId && text)
      if (last) {
        event.preventDefault()
        this.edit(last)
      }
    }
  }

  #onSuggestionKey(event: KeyboardEvent): boolean {
    const options = [...this.#suggestions.querySelectorAll<HTMLElement>('[role=option]')]
    if (options.length === 0) return false
    if (event.key === 'ArrowDown') this.#selected = (this.#selected + 1) % options.length
    else if (event.key === 'ArrowUp') this.#selected = (this.#selected - 1 + options.length) % options.length
    else if (event.key === 'Escape') this.#suggestions.hidden = true
    else if (event.key === 'Enter' || event.key === 'Tab') options[this.#selected]?.click()
    else return false
    event.preventDefault()
    options.forEach((option, index) => {
      option.setAttribute('aria-selected', String(index === this.#selected))
      if (index === this.#selected) option.scrollIntoView({ block: 'nearest' })
    })
    return true
  }

  #onInput(): void {
    this.#grow()
    const text = this.#input.value
    if (/^\/\w*$/.test(text)) this.#showCommands(text.slice(1))
    else this.#suggestions.hidden = true
  }

  #grow(): void {
    this.#input.style.height = ''
    // Not drawn, it has no height to follow; CSS gives it one line.
    const wanted = this.#input.scrollHeight
    if (wanted > 0) this.#input.style.height = `${Math.min(wanted, MAX_HEIGHT_PX)}px`
    this.#send.classList.toggle('ready', this.#input.value.trim() !== '')
  }

  #setText(text: string): void {
    this.#input.value = text
    this.#suggestions.hidden = true
    this.#grow()
  }

  #toggleCommands(): void {
    if (this.#suggestions.hidden) this.#showCommands('')
    else this.#suggestions.hidden = true
    this.#input.focus()
  }

  #showCommands(start: string): void {
    const { chat, state } = this.#store
    const found = (chat?.commands ?? []).filter(({ command }) => command.startsWith(start))
    this.#selected = 0
    this.#suggestions.hidden = found.length === 0
    refill(
      this.#suggestions,
      ...found.map(({ command, description }, index) => {
        const option = h(
          'div',
          { class: 'suggestion', testid: 'command', attrs: { role: 'option', 'aria-selected': String(index === 0) } },
          h('span', { class: 'suggestion-command' }, `/${command}`),
          h('span', { class: 'suggestion-text' }, description),
        )
        option.addEventListener('click', () => {
          this.#setText('')
          this.send(chat?.type === 'private' ? `/${command}` : `/${command}@${state?.bot.username ?? ''}`)
          this.#input.focus()
        })
        return option
      }),
    )
  }

  #attachMenu(button: HTMLElement): void {
    const { left, top } = button.getBoundingClientRect()
    const pick = (accept: string) => {
      const input = h('input', { attrs: { type: 'file', multiple: true, accept } })
      input.addEventListener('change', () => this.attach([...(input.files ?? [])]))
      input.click()
    }
    const where = this.#where()
    if (!where) return
    popupMenu(left, top - 190, [
      { label: 'Photo or video', testid: 'attach-photo', run: () => pick('image/*,video/*') },
      { label: 'File', testid: 'attach-file', run: () => pick('') },
      { label: 'Location', testid: 'attach-location', run: () => this.#run(api.location(where, 48.8584, 2.2945)) },
      {
        label: 'My contact',
        testid: 'attach-contact',
        run: () => this.#run(api.contact(where, '+15550100', this.#ownName())),
      },
    ])
  }

  #ownName(): string {
    return this.#store.state?.people.find(({ id }) => id === this.#store.userId)?.first_name ?? ''
  }

  #leaveMode(): void {
    if (this.#mode?.kind === 'edit') this.#setText('')
    this.#mode = undefined
    this.#drawMode()
  }

  /** The bot asked for a reply to its last message. */
  #forcedReply(): { id: number } | undefined {
    const keyboard = this.#store.chat?.keyboard
    const isForced = keyboard && isForceReply(keyboard.markup) && this.#lastBotMessage() === keyboard.message_id
    return isForced ? { id: keyboard.message_id } : undefined
  }

  #lastBotMessage(): number | undefined {
    return this.#store.messages.findLast(({ from }) => from?.is_bot)?.message_id
  }

  #drawMode(): void {
    const forced = this.#forcedReply()
    const asked = forced ? this.#store.messages.find(({ message_id }) => message_id === forced.id) : undefined
    const mode: Mode = this.#mode ?? (asked ? { kind: 'reply', message: asked } : undefined)
    const hint = forced ? placeholder(this.#store.chat?.keyboard?.markup) : undefined
    this.#input.placeholder = hint ?? placeholder(this.#store.chat?.keyboard?.markup) ?? 'Message'
    this.#bar.hidden = !mode
    if (!mode) return
    const title = mode.kind === 'edit' ? 'Edit message' : `Reply to ${mode.message.from?.first_name ?? ''}`
    const close = h(
      'button',
      { class: 'round', testid: 'mode-close', attrs: { type: 'button', 'aria-label': 'Cancel' } },
      icon('close'),
    )
    close.addEventListener('click', () => this.#leaveMode())
    refill(
      this.#bar,
      icon('reply'),
      h(
        'div',
        { class: 'mode-text' },
        h('span', { class: 'mode-title' }, title),
        h('span', {}, mode.quote ?? summary(mode.message)),
      ),
      this.#mode ? close : undefined,
    )
  }

  #drawKeyboard(): void {
    const keyboard = this.#store.chat?.keyboard
    const rows = keyboardRows(keyboard?.markup)
    const isOpen = this.#store.chat?.started === true && !this.#store.chat.blocked
    this.#keyboardToggle.hidden = rows.length === 0
    this.#keyboard.hidden = rows.length === 0 || this.#keyboardHidden || !isOpen
    const look = JSON.stringify([keyboard, this.#store.open])
    if (look === this.#keyboardOf) return
    this.#keyboardOf = look
    this.#keyboardHidden = false
    this.#keyboard.hidden = rows.length === 0 || !isOpen
    refill(
      this.#keyboard,
      ...rows.map((row) =>
        h(
          'div',
          { class: 'key-row' },
          ...row.map((button) => {
            const element = h(
              'button',
              { class: `key${button.style ? ` ${button.style}` : ''}`, testid: 'reply-key', attrs: { type: 'button' } },
              button.text,
            )
            element.addEventListener('click', () => this.#pressKey(button, isOneTime(keyboard?.markup)))
            return element
          }),
        ),
      ),
    )
  }

  #pressKey(button: { text: string; asks?: 'contact' | 'location' }, isOneTime: boolean): void {
    const where = this.#where()
    if (!where) return
    if (button.asks === 'contact') this.#run(api.contact(where, '+15550100', this.#ownName()))
    else if (button.asks === 'location') this.#run(api.location(where, 48.8584, 2.2945))
    else this.#run(api.text(where, button.text))
    if (isOneTime) this.#keyboardHidden = true
    this.draw()
  }
}

function report(error: unknown): void {
  toast(error instanceof RefusedByServer ? error.message : 'The local server does not answer. Is it still running?')
}
