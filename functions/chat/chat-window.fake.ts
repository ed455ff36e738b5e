/** One chat as a person sees it: what was said stands there, buttons can be pressed, limits of Telegram are checked. */
import type { InlineKeyboardButton, Message, Update, User } from 'grammy/types'
import type { z } from 'zod'
import { checkReplyMarkup } from '../../local/telegram/bot-api/reply-markup.ts'
import { parseRichMessage } from '../../local/telegram/bot-api/rich-message.ts'
import { checkText as checkTelegramText, MESSAGE_RULES } from '../../local/telegram/text/message-text.ts'
import { plainEntities } from '../../local/telegram/text/plain-entities.ts'
import { loadTdlib } from '../../local/telegram/text/tdlib.ts'
import type { CurrentAgent } from './agents/current-agent.ts'
import { chatName } from './chat-name.ts'
import type { DeploymentReport } from './deployment-report.ts'
import { forgetBrought, groupAgentOf, noteBrought } from './group-agents.ts'
import { classifyUpdate, describeDeployment, handleUpdate } from './handle-update.ts'
import { BOT, type FakeWorld, fakePorts, telegramUser } from './handling.fake.ts'
import type { ChatIdentity, ChatStore, Handling, TopicGroup, TurnControl, TurnInput } from './handling.ts'
import type { Keyboard, MessageTarget, Outgoing } from './outgoing.ts'
import type { RichMessage } from './rich/rich-message.ts'
import type { FormattedText } from './text/formatted-text.ts'

/** Phones cut off more. */
const MAX_LABEL_POINTS = 48

const loaded = loadTdlib()
const tdlib = 'unavailable' in loaded ? plainEntities : loaded

export interface ShownMessage {
  readonly id: number
  readonly ref: string | undefined
  readonly text: string
  readonly keyboard: Keyboard
}

export interface Outcome extends Handling {
  readonly lane: 'control' | 'turn' | 'ignore'
}

interface Speaker {
  readonly from?: User | undefined
  /** In a group: as an answer to the bot. */
  readonly replyToBot?: boolean
}

interface FakeChatOptions {
  readonly user: User
  readonly threadId?: number | undefined
  /** Whose topic it is. */
  readonly group?: TopicGroup
}

/** A person's private chat with Baal. */
export function chatOf(
  world: FakeWorld,
  person: { id: number; name?: string; language?: string /** A topic of the private chat. */; topic?: number },
): FakeChat {
  const user = telegramUser({ id: person.id, name: person.name ?? `Person ${person.id}`, language: person.language })
  return new FakeChat(world, { chatId: person.id, threadId: person.topic, kind: 'private', user })
}

export function groupOf(world: FakeWorld, chatId: number): FakeChat {
  return new FakeChat(world, { chatId, kind: 'group', user: telegramUser({ id: 1, name: 'Nobody' }) })
}

/** A topic of that group. */
export function topicOf(world: FakeWorld, group: FakeChat, threadId: number): FakeChat {
  const { chatId } = group.identity
  const user = telegramUser({ id: 1, name: 'Nobody' })
  return new FakeChat(world, { chatId, threadId, kind: 'group', user, group: group.asGroup() })
}

export class FakeChat {
  readonly identity: ChatIdentity
  readonly messages: ShownMessage[] = []
  readonly sent: Outgoing[] = []
  running: { agentId: string; turnId: string } | undefined
  steps: ReturnType<TurnControl['steps']> = []
  formerTurn: TurnInput | undefined
  readonly #world: FakeWorld
  readonly #user: User
  readonly #group: TopicGroup | undefined
  readonly #heard = new Set<string>()
  readonly #stored = new Map<string, string>()
  #lastMessageId = 100

  constructor(world: FakeWorld, { user, group, ...chat }: Pick<ChatIdentity, 'chatId' | 'kind'> & FakeChatOptions) {
    this.#world = world
    this.#user = user
    this.#group = group
    const { chatId, kind, threadId } = chat
    const topic = threadId === undefined ? {} : { threadId }
    this.identity = { name: chatName(BOT.id, chatId, threadId), botId: BOT.id, chatId, kind, ...topic }
  }

  /** The newest message that still stands. */
  get last(): ShownMessage {
    const last = this.messages.at(-1)
    if (!last) throw new Error('nothing was said')
    return last
  }

  buttons(message: ShownMessage = this.last): string[] {
    return message.keyboard.flat().map(({ text }) => text)
  }

  says(text: string, speaker: Speaker = {}): Promise<Outcome> {
    return this.receives(this.update({ message: this.message(text, speaker) }))
  }

  /** A message with something else in place of its text. */
  sends(content: Partial<Message>): Promise<Outcome> {
    const { text: _, ...message } = this.message('x')
    return this.receives(this.update({ message: { ...message, ...content } as Message & Update.NonChannel }))
  }

  edits(messageId: number, text: string, speaker: Speaker = {}): Promise<Outcome> {
    const message = { ...this.message(text, speaker), message_id: messageId }
    return this.receives(this.update({ edited_message: { ...message, edit_date: message.date } }))
  }

  /** @param label of a button under the newest message that has one like it */
  presses(label: string | RegExp, speaker: Speaker = {}): Promise<Outcome> {
    return this.receives(this.press(label, speaker))
  }

  press(label: string | RegExp, { from }: Speaker = {}): Update {
    const matches = ({ text }: InlineKeyboardButton) => (typeof label === 'string' ? text === label : label.test(text))
    for (const message of this.messages.toReversed()) {
      const found = message.keyboard.flat().find(matches)
      if (found && 'callback_data' in found) return this.pressed(found.callback_data, message.id, from)
    }
    throw new Error(`no button ${label} in ${JSON.stringify(this.messages.map((message) => this.buttons(message)))}`)
  }

  /** Whatever a client may send, whether or not such a button was ever shown. */
  pressed(data: string, messageId = this.#lastMessageId, from: User = this.#user): Update {
    const message = { ...this.message('(shown)'), message_id: messageId, from: BOT }
    return this.update({ callback_query: { id: '1', from, chat_instance: '1', data, message } })
  }

  update(content: Omit<Update, 'update_id'>): Update {
    return { update_id: this.#world.nextUpdateId(), ...content }
  }

  message(text: string, { from = this.#user, replyToBot = false }: Speaker = {}): Message & Update.NonChannel {
    const { chatId, kind } = this.identity
    const chat =
      kind === 'private'
        ? ({ id: chatId, type: 'private', first_name: from.first_name } as const)
        : ({ id: chatId, type: 'supergroup', title: 'Group' } as const)
    const date = Math.floor(this.#world.time / 1000)
    const command = /^\/\w+(@\w+)?/.exec(text)
    const mention = /@\w+/.exec(text)
    const entities: Message['entities'] = command
      ? [{ type: 'bot_command', offset: 0, length: command[0].length }]
      : mention
        ? [{ type: 'mention', offset: mention.index, length: mention[0].length }]
        : []
    return {
      message_id: ++this.#lastMessageId,
      date,
      chat,
      from,
      text,
      ...(entities.length > 0 ? { entities } : {}),
      ...(replyToBot ? { reply_to_message: { message_id: 1, date, chat, from: BOT, text: 'earlier' } } : {}),
    } as unknown as Message & Update.NonChannel
  }

  /** As its topics ask and tell it. */
  asGroup(): TopicGroup {
    const write = async (change: (store: ChatStore) => void) => {
      const { store, commit } = this.#buffer()
      change(store)
      commit()
    }
    return {
      name: this.identity.name,
      agent: async () => groupAgentOf(this.#buffer().store),
      brought: (current) => write((store) => noteBrought(store, current)),
      sentAway: (agentId) => write((store) => forgetBrought(store, (current) => current.agentId === agentId)),
    }
  }

  /** Whatever was said before: this is the agent of the chat now, allowed or not. */
  choose(current: CurrentAgent): void {
    this.#stored.set('agent', JSON.stringify(current))
  }

  /** What this chat keeps between updates. */
  stored(): readonly string[] {
    return [...this.#stored.values()]
  }

  /** Shows what other chats had to say here since the last look. */
  hears(): void {
    for (const [key, { userId, text, keyboard }] of this.#world.told) {
      if (userId !== this.#user.id || this.#heard.has(key)) continue
      this.#heard.add(key)
      this.#show({ kind: 'send', text, ...(keyboard ? { keyboard } : {}) })
    }
  }

  /** @param crash the outcome of the first run is lost, as after a crash before it was kept; then it is handled again */
  async receives(update: Update, { crash = false } = {}): Promise<Outcome> {
    if (crash) await this.#handle(update)
    const { handling, commit, lane } = await this.#handle(update)
    commit()
    for (const outgoing of handling.outgoing) this.#show(outgoing)
    if (handling.answer && [...handling.answer.text].length > 200) throw new Error('toast too long')
    return { ...handling, lane }
  }

  async reports(report: Partial<DeploymentReport> & Pick<DeploymentReport, 'agentId'>): Promise<Handling> {
    const started = this.#world.started.findLast(({ agentId }) => agentId === report.agentId)
    const full: DeploymentReport = {
      deploymentId: started?.deploymentId ?? 'none',
      kind: (started?.kind ?? 'create') as DeploymentReport['kind'],
      seq: 1,
      status: 'running',
      step: 'placement',
      progress: 0.5,
      startedAt: this.#world.time - 43_000,
      ...report,
    }
    const { store, commit } = this.#buffer()
    const ports = fakePorts(this.#world, this.identity, {
      update: this.update({}),
      store,
      turns: this.#turns(),
      group: this.#group,
    })
    const handling = await describeDeployment(full, ports)
    commit()
    for (const outgoing of handling.outgoing) this.#show(outgoing)
    return handling
  }

  async #handle(update: Update) {
    const { store, commit } = this.#buffer()
    const ports = fakePorts(this.#world, this.identity, { update, store, turns: this.#turns(), group: this.#group })
    const lane = classifyUpdate(update, ports)
    const handling: Handling = lane === 'ignore' ? { outgoing: [] } : await handleUpdate(update, ports)
    return { handling, commit, lane }
  }

  #turns(): TurnControl {
    return {
      running: () => this.running,
      stop: async () => {
        const stopped = this.running !== undefined
        this.running = undefined
        return stopped
      },
      steps: () => this.steps,
      last: ({ userId }) => (userId === undefined || this.formerTurn?.user.id === userId ? 't1' : undefined),
      retry: () => this.formerTurn,
    }
  }

  #buffer(): { store: ChatStore; commit: () => void } {
    const buffered = new Map<string, string | undefined>()
    const stored = this.#stored
    const store: ChatStore = {
      get<S extends z.ZodType>(key: string, schema: S) {
        const json = buffered.has(key) ? buffered.get(key) : stored.get(key)
        if (json === undefined) return undefined
        const parsed = schema.safeParse(JSON.parse(json))
        return parsed.success ? parsed.data : undefined
      },
      put: (key, value) => void buffered.set(key, JSON.stringify(value)),
      delete: (key) => void buffered.set(key, undefined),
    }
    const commit = () => {
      for (const [key, json] of buffered) {
        if (json === undefined) stored.delete(key)
        else stored.set(key, json)
      }
    }
    return { store, commit }
  }

  #show(outgoing: Outgoing): void {
    this.sent.push(outgoing)
    if (outgoing.kind === 'send') {
      this.#put(undefined, outgoing, outgoing.ref)
    } else if (outgoing.kind === 'edit') {
      this.#put(this.#find(outgoing.target), outgoing, 'ref' in outgoing.target ? outgoing.target.ref : undefined)
    } else if (outgoing.kind === 'delete') {
      const found = this.#find(outgoing.target)
      if (found) this.messages.splice(this.messages.indexOf(found), 1)
    }
  }

  #find(target: MessageTarget): ShownMessage | undefined {
    return this.messages.findLast((message) =>
      'ref' in target ? message.ref === target.ref : message.id === target.messageId,
    )
  }

  #put(
    place: ShownMessage | undefined,
    { text, rich, keyboard = [] }: { text: FormattedText; rich?: RichMessage; keyboard?: Keyboard },
    ref: string | undefined,
  ): void {
    checkText(text)
    if (rich) parseRichMessage({ blocks: rich.blocks }, { thinking: false })
    checkKeyboard(keyboard)
    if (place) {
      this.messages[this.messages.indexOf(place)] = { ...place, text: text.text, keyboard }
      return
    }
    this.messages.push({ id: ++this.#lastMessageId, ref, text: text.text, keyboard })
  }
}

/** As Telegram would take it, by Telegram's own parser where there is one for this platform. */
function checkText({ text, entities }: FormattedText): void {
  const checked = checkTelegramText(tdlib, { text, entities }, MESSAGE_RULES)
  if (text.trim() === '' || checked.droppedEntities > 0) throw new Error(`Telegram would not show this: ${text}`)
}

function checkKeyboard(keyboard: Keyboard): void {
  if (keyboard.length > 0) checkReplyMarkup(tdlib, { inline_keyboard: keyboard }, 'send')
  for (const row of keyboard) if (row.length === 0 || row.length > 4) throw new Error(`a row of ${row.length} buttons`)
  for (const { text } of keyboard.flat()) {
    if (text.trim() === '' || [...text].length > MAX_LABEL_POINTS) throw new Error(`button text ${text}`)
  }
}
