/**
 * The people's side of this Telegram: what a person does in the app, and what a test wants to see of it. Long because it is the
 * whole vocabulary of a test in one place; each word is a few lines.
 */
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Chat, Message, Update } from 'grammy/types'
import { z } from 'zod'
import type { ApiCall } from '../bot-api/call-log.ts'
import type { FaultInput } from '../bot-api/faults.ts'
import { mimeTypeOf } from '../bot-api/incoming-file.ts'
import { createTopic } from '../bot-api/methods/chats.ts'
import { originOf, shownContent } from '../bot-api/methods/forwarding.ts'
import type { Delivery } from '../delivery/webhook.ts'
import { type MediaDetails, mediaContent } from '../media-content.ts'
import { ChatKeyboard, post, replace } from '../post.ts'
import type { Draft } from '../state/drafts.ts'
import type { SimEvent } from '../state/events.ts'
import type { FileKind, StoredFile } from '../state/files.ts'
import { type Person, type Room, userOf } from '../state/people.ts'
import { MAX_TEXT_LENGTH, typedText } from '../text/message-text.ts'
import { type BotTraits, botId, botTraits, botUser, unixTime, type World } from '../world.ts'
import { deliver, deliverEdit } from './deliver.ts'
import { SimError } from './sim-error.ts'
import { type WaitOptions, waitUntil } from './wait.ts'

export interface Sender {
  /** Who acts. */
  readonly from: number
  /** Where; the private chat with the bot when absent. */
  readonly chat?: number | undefined
  readonly thread?: number | undefined
  readonly replyTo?: number | undefined
  /** A part of the message replied to. */
  readonly quote?: string | undefined
}

export interface SentFile extends MediaDetails {
  readonly kind: FileKind
  readonly name?: string | undefined
  readonly mimeType?: string | undefined
  readonly caption?: string | undefined
  readonly mediaGroup?: string | undefined
}

export interface NewPerson {
  readonly id?: number
  readonly first_name: string
  readonly last_name?: string
  readonly username?: string
  readonly language_code?: string
}

export interface NewGroup {
  readonly title: string
  /** The first one made it. */
  readonly members: readonly number[]
  readonly type?: 'group' | 'supergroup'
  readonly forum?: boolean
  readonly bot?: 'member' | 'administrator' | 'left'
  /** Topics besides General. */
  readonly topics?: readonly string[]
  /** Tells the bot that it was added, as Telegram does. */
  readonly announce?: boolean
}

/** A reply that is asked for alone, without keys that stay. */
const AsksReply = z.strictObject({
  force_reply: z.literal(true),
  input_field_placeholder: z.string().optional(),
  selective: z.boolean().optional(),
})

export class Sim {
  readonly world: World

  constructor(world: World) {
    this.world = world
  }

  // People and chats

  addPerson(person: NewPerson): Person {
    const id = person.id ?? this.world.settings.next('person', 5_000_001)
    const saved = this.world.people.save({ ...person, id, started: false, blocked: false, deactivated: false })
    this.world.events.emit({ type: 'state' })
    return saved
  }

  addGroup(group: NewGroup): Room {
    const { members, title, bot = 'member', announce = true } = group
    const type = group.forum ? 'supergroup' : (group.type ?? 'group')
    const number = this.world.settings.next('room', 1_000_001)
    const room = this.world.people.saveRoom({
      id: type === 'supergroup' ? -1_000_000_000_000 - number : -number,
      type,
      title,
      is_forum: group.forum ?? false,
      members: [...members],
      bot,
    })
    const maker = this.#person(members[0] ?? 0)
    for (const name of group.topics ?? []) createTopic(this.world, room.id, userOf(maker), name)
    if (announce && room.bot !== 'left') this.#announceMembership(room.id, maker, 'left', room.bot)
    this.world.events.emit({ type: 'state' })
    return room
  }

  addTopic(chat: number, from: number, name: string): number {
    const { message_thread_id } = createTopic(this.world, chat, userOf(this.#person(from)), name)
    const opening = this.world.messages.find(chat, message_thread_id)
    if (opening) deliver(this.world, opening)
    return message_thread_id
  }

  /** Adds the bot to a group, makes it an administrator, or throws it out. */
  setBotStanding(chat: number, standing: Room['bot'], by: number): void {
    const room = this.#room(chat)
    this.world.people.saveRoom({ ...room, bot: standing })
    this.#announceMembership(chat, this.#person(by), room.bot, standing)
    this.world.events.emit({ type: 'state' })
  }

  /** @returns the id of the supergroup that a basic group becomes */
  migrate(chat: number): number {
    const room = this.#room(chat)
    const to = -1_000_000_000_000 - this.world.settings.next('room', 1_000_001)
    const maker = userOf(this.#person(room.members[0] ?? 0))
    this.world.people.saveRoom({ ...room, id: to, type: 'supergroup' })
    deliver(
      this.world,
      post(this.world, { chatId: chat, threadId: 0, from: maker, content: { migrate_to_chat_id: to } }),
    )
    this.world.people.saveRoom({ ...room, migratedTo: to })
    deliver(
      this.world,
      post(this.world, { chatId: to, threadId: 0, from: maker, content: { migrate_from_chat_id: chat } }),
    )
    this.world.events.emit({ type: 'state' })
    return to
  }

  block(person: number, blocked = true): void {
    const before = this.#person(person)
    if (before.blocked === blocked) return
    this.world.people.save({ ...before, blocked })
    this.#announceMembership(person, before, blocked ? 'member' : 'kicked', blocked ? 'kicked' : 'member')
    this.world.events.emit({ type: 'state' })
  }

  deactivate(person: number): void {
    this.world.people.save({ ...this.#person(person), deactivated: true })
    this.world.events.emit({ type: 'state' })
  }

  setBot(traits: Partial<BotTraits>): void {
    this.world.settings.put('bot', { ...botTraits(this.world), ...traits })
    this.world.events.emit({ type: 'state' })
  }

  setLimits(mode: 'off' | 'real'): void {
    this.world.flood.mode = mode
    this.world.flood.reset()
  }

  // What a person sends

  /** A text longer than a message is split as the apps split a paste. */
  sendText(sender: Sender, text: string): Message {
    const characters = [...text]
    let last: Message | undefined
    for (let at = 0; at < Math.max(1, characters.length); at += MAX_TEXT_LENGTH) {
      const part = characters.slice(at, at + MAX_TEXT_LENGTH).join('')
      if (part.trim() === '') throw new SimError('an empty message cannot be sent')
      const { entities } = typedText(this.world.tdlib, part)
      last = this.#send(sender, { text: part, ...(entities.length > 0 ? { entities } : {}) })
    }
    if (!last) throw new SimError('an empty message cannot be sent')
    return last
  }

  /** Opens `t.me/<bot>?start=<payload>`, or presses Start. A payload that a client would refuse is left out by it. */
  start(from: number, payload = ''): Message {
    if (this.#person(from).blocked) this.block(from, false)
    return this.sendText({ from }, /^[\w-]{1,64}$/.test(payload) ? `/start ${payload}` : '/start')
  }

  /** @param bytes the content, or the path of a file on disk that is moved away */
  async sendFile(sender: Sender, bytes: Uint8Array | { readonly path: string }, file: SentFile): Promise<Message> {
    const temporaryPath = bytes instanceof Uint8Array ? this.world.files.temporaryPath() : bytes.path
    if (bytes instanceof Uint8Array) await writeFile(temporaryPath, bytes)
    const stored = await this.world.files.add({
      kind: file.kind,
      temporaryPath,
      name: file.name ? basename(file.name) : undefined,
      mimeType: file.mimeType || mimeTypeOf(file.name, file.kind),
      duration: file.duration,
    })
    const caption = file.caption ? typedText(this.world.tdlib, file.caption) : undefined
    return this.#send(sender, {
      ...mediaContent(stored, file),
      ...(caption ? { caption: caption.text } : {}),
      ...(caption && caption.entities.length > 0 ? { caption_entities: caption.entities } : {}),
      ...(file.mediaGroup ? { media_group_id: file.mediaGroup } : {}),
    })
  }

  /** Several photos or documents as one album: one message each, with one group id. */
  async sendAlbum(sender: Sender, files: readonly (SentFile & { readonly bytes: Uint8Array })[]): Promise<Message[]> {
    const mediaGroup = this.newMediaGroup()
    const sent: Message[] = []
    for (const file of files) sent.push(await this.sendFile(sender, file.bytes, { ...file, mediaGroup }))
    return sent
  }

  newMediaGroup(): string {
    return String(this.world.settings.next('media_group', 13_000_000_000))
  }

  sendLocation(sender: Sender, latitude: number, longitude: number): Message {
    return this.#send(sender, { location: { latitude, longitude } })
  }

  sendContact(sender: Sender, contact: { phone_number: string; first_name: string; user_id?: number }): Message {
    return this.#send(sender, { contact })
  }

  forward(sender: Sender, fromChat: number, messageId: number): Message {
    const original = this.message(fromChat, messageId)
    return this.#send(sender, { ...shownContent(original), forward_origin: originOf(original) })
  }

  editText(from: number, chat: number, messageId: number, text: string): Message {
    const message = this.message(chat, messageId)
    if (message.from?.id !== from) throw new SimError('only own messages can be edited')
    const checked = typedText(this.world.tdlib, text)
    const field = message.text === undefined ? 'caption' : 'text'
    const edited = replace(this.world, {
      ...message,
      [field]: checked.text,
      [field === 'text' ? 'entities' : 'caption_entities']: checked.entities,
      edit_date: unixTime(this.world),
    })
    deliverEdit(this.world, edited)
    return edited
  }

  deleteMessage(chat: number, messageId: number): void {
    this.world.messages.remove(chat, messageId)
    this.world.events.emit({ type: 'deleted', chat_id: chat, message_ids: [messageId] })
  }

  react(from: number, chat: number, messageId: number, emoji: string | undefined): void {
    const before = this.world.messages.reactions(chat, messageId).find(({ userId }) => userId === from)?.types ?? []
    // Any emoji that the page offers is one of Telegram's.
    const types = emoji ? [{ type: 'emoji' as const, emoji: emoji as '👍' }] : []
    this.world.messages.react(chat, messageId, { userId: from, types })
    const reactions = this.world.messages.reactions(chat, messageId)
    this.world.events.emit({ type: 'reactions', chat_id: chat, message_id: messageId, reactions })
    this.world.updates.add(
      'message_reaction',
      {
        chat: this.chat(chat),
        message_id: messageId,
        user: userOf(this.#person(from)),
        date: unixTime(this.world),
        old_reaction: before,
        new_reaction: types,
      },
      chat,
    )
  }

  /** Presses a button under a message, found by its text or its data. @returns the id of the query the bot must answer */
  press(from: number, chat: number, messageId: number, button: { text: string } | { data: string }): string {
    const message = this.message(chat, messageId)
    const buttons = message.reply_markup?.inline_keyboard.flat() ?? []
    const found = buttons.find((candidate) =>
      'text' in button
        ? candidate.text === button.text
        : 'callback_data' in candidate && candidate.callback_data === button.data,
    )
    const shown = buttons.map(({ text }) => text).join(' | ')
    if (!found)
      throw new SimError(`no button ${JSON.stringify(button)} under message ${messageId}; there are: ${shown}`)
    if (!('callback_data' in found)) throw new SimError(`the button "${found.text}" is not one that the bot is told of`)
    return this.pressRaw(from, message, found.callback_data)
  }

  /** A press with any data, as a forged or outdated client may send it. */
  pressRaw(from: number, message: Message, data: string): string {
    const id = this.world.callbacks.open(from)
    const query = { id, from: userOf(this.#person(from)), message, chat_instance: String(message.chat.id), data }
    this.world.updates.add('callback_query', query, from)
    return id
  }

  /** Presses the Stop button of a draft. @returns false when there is none to press */
  stopDraft(from: number, draftId: number, chat: number = from): boolean {
    const draft = this.world.drafts.stop(chat, draftId)
    if (!draft) return false
    const privateChat = this.chat(chat)
    if (privateChat.type !== 'private') return false
    const thread = draft.thread_id > 0 ? { message_thread_id: draft.thread_id } : {}
    this.world.updates.add('stopped_message_generation', { chat: privateChat, draft_id: draftId, ...thread }, from)
    return true
  }

  /** Any update at all, into the queue of a chat. @returns its update id */
  sendRawUpdate(chat: number, body: Record<string, unknown>): number {
    return this.world.updates.addRaw(body, chat)
  }

  /** Delivers an update once more under its old id, as Telegram does when it did not hear the 200. */
  replay(update: Update, chat: number): void {
    this.world.updates.addRaw({ ...update }, chat)
  }

  // What is to be seen

  chat(id: number): Exclude<Chat, Chat.ChannelChat> {
    const chat = this.world.people.chat(id)
    if (!chat) throw new SimError(`no chat ${id}`)
    return chat
  }

  messages(chat: number, thread?: number): Message[] {
    return this.world.messages.list({
      chatId: chat,
      limit: 1_000_000,
      ...(thread === undefined ? {} : { threadId: thread }),
    })
  }

  message(chat: number, messageId: number): Message {
    const message = this.world.messages.find(chat, messageId)
    if (!message) throw new SimError(`no message ${messageId} in chat ${chat}`)
    return message
  }

  botMessages(chat: number, thread?: number): Message[] {
    return this.messages(chat, thread).filter((message) => message.from?.id === botId(this.world))
  }

  drafts(chat: number): Draft[] {
    return this.world.drafts.list(chat)
  }

  keyboard(chat: number): ChatKeyboard | undefined {
    return this.world.settings.get(`keyboard:${chat}`, ChatKeyboard)
  }

  file(fileId: string): StoredFile {
    const file = this.world.files.find(fileId)
    if (!file) throw new SimError('no such file')
    return file
  }

  readFile(fileId: string): Promise<Buffer> {
    return readFile(this.world.files.diskPath(this.file(fileId)))
  }

  streamFile(fileId: string) {
    return createReadStream(this.world.files.diskPath(this.file(fileId)))
  }

  calls(filter: { readonly method?: string; readonly chat?: number } = {}): ApiCall[] {
    return this.world.calls
      .list()
      .filter(
        (call) =>
          (filter.method === undefined || call.method === filter.method) &&
          (filter.chat === undefined || call.chat_id === filter.chat),
      )
  }

  /** Every attempt to deliver an update to the webhook. */
  deliveries(): readonly Delivery[] {
    return this.world.deliveries
  }

  pendingUpdates(): Update[] {
    return this.world.updates.list().map(({ update }) => update)
  }

  /** @returns takes it back */
  fault(fault: FaultInput): () => void {
    return this.world.faults.add(fault)
  }

  clearFaults(): void {
    this.world.faults.clear()
  }

  on(listener: (event: SimEvent) => void): () => void {
    return this.world.events.on(listener)
  }

  /**
   * Waits until `check` gives something, looking again after everything that happens here.
   * @throws {SimError} after `timeoutMs`, with the chat's last messages when `chat` is given
   */
  async waitFor<T>(check: (sim: Sim) => T | undefined | false | null, options: WaitOptions = {}): Promise<T> {
    return waitUntil(this, check, options)
  }

  /** Waits for a message of the bot that matches, already there or still to come. */
  waitForBot(
    chat: number,
    match: string | RegExp | ((message: Message) => boolean),
    options: { readonly timeoutMs?: number; readonly afterId?: number; readonly thread?: number } = {},
  ): Promise<Message> {
    const matches = (message: Message) => {
      if (typeof match === 'function') return match(message)
      const text = message.text ?? message.caption ?? ''
      return typeof match === 'string' ? text.includes(match) : match.test(text)
    }
    return waitUntil(
      this,
      () =>
        this.botMessages(chat, options.thread).find(
          (message) => message.message_id > (options.afterId ?? 0) && matches(message),
        ),
      { ...options, chat, what: `a message of the bot that matches ${String(match)}` },
    )
  }

  #send(sender: Sender, content: Partial<Message>): Message {
    const person = this.#person(sender.from)
    const chatId = sender.chat ?? sender.from
    if (chatId > 0 && chatId !== sender.from) throw new SimError('nobody can write in the private chat of another')
    const room = chatId < 0 ? this.#room(chatId) : undefined
    if (room && !room.members.includes(sender.from)) throw new SimError('not a member of this group')
    if (chatId > 0) this.#open(person)
    const replyTo = sender.replyTo === undefined ? undefined : this.message(chatId, sender.replyTo)
    const whole = replyTo?.text ?? replyTo?.caption ?? ''
    const message = post(this.world, {
      chatId,
      threadId: sender.thread ?? (replyTo?.is_topic_message ? (replyTo.message_thread_id ?? 0) : 0),
      from: userOf(person),
      content,
      replyTo,
      ...(sender.quote
        ? { quote: { text: sender.quote, position: Math.max(0, whole.indexOf(sender.quote)), is_manual: true } }
        : {}),
    })
    this.#fulfilReplyRequest(chatId)
    deliver(this.world, message)
    return message
  }

  /** Whatever is written, the apps ask for a reply no longer. */
  #fulfilReplyRequest(chatId: number): void {
    const keyboard = this.keyboard(chatId)
    if (!keyboard || !AsksReply.safeParse(keyboard.markup).success) return
    this.world.settings.remove(`keyboard:${chatId}`)
    this.world.events.emit({ type: 'state' })
  }

  /** Writing to the bot opens the chat, and unblocks it. */
  #open(person: Person): void {
    if (person.blocked) this.block(person.id, false)
    if (person.started) return
    this.world.people.save({ ...this.#person(person.id), started: true })
    this.world.events.emit({ type: 'state' })
  }

  #announceMembership(chat: number, by: Person, before: Room['bot'], after: Room['bot']): void {
    const bot = botUser(this.world)
    const member = (standing: Room['bot']) => {
      if (standing === 'kicked') return { status: 'kicked', user: bot, until_date: 0 } as const
      return { status: standing === 'administrator' ? 'member' : standing, user: bot } as const
    }
    this.world.updates.add(
      'my_chat_member',
      {
        chat: this.chat(chat),
        from: userOf(by),
        date: unixTime(this.world),
        old_chat_member: member(before),
        new_chat_member: member(after),
      },
      chat,
    )
  }

  #person(id: number): Person {
    const person = this.world.people.find(id)
    if (!person) throw new SimError(`no person ${id}`)
    return person
  }

  #room(id: number): Room {
    const room = this.world.people.room(id)
    if (!room) throw new SimError(`no group ${id}`)
    return room
  }
}
