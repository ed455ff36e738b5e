/** Someone who uses Telegram: writes, presses, reads and waits, through the stand-in's side for people. */
import { z } from 'zod'

const Button = z.looseObject({ text: z.string(), callback_data: z.string().optional() })
const Keyboard = z.looseObject({ inline_keyboard: z.array(z.array(Button)).optional() })
const Message = z.looseObject({
  message_id: z.int(),
  from: z.looseObject({ id: z.int(), is_bot: z.boolean() }).optional(),
  text: z.string().optional(),
  document: z.looseObject({ file_name: z.string().optional() }).optional(),
  reply_markup: Keyboard.optional(),
})
export type Message = z.infer<typeof Message>
const Messages = z.looseObject({
  messages: z.array(Message),
  drafts: z.array(z.looseObject({ text: z.string().optional() })),
})
const Calls = z.array(
  z.looseObject({
    ok: z.boolean(),
    status: z.int(),
    params: z.looseObject({
      text: z.string().optional(),
      caption: z.string().optional(),
      rich_message: z.unknown().optional(),
      reply_markup: Keyboard.optional(),
    }),
  }),
)
type Call = z.infer<typeof Calls>[number]
const State = z.looseObject({
  people: z.array(z.looseObject({ id: z.int(), first_name: z.string() })),
  bot: z.looseObject({ username: z.string() }),
})

export class Person {
  readonly id: number
  /** Where they write: their private chat with the bot, or a group. */
  readonly chat: number
  readonly #url: string

  constructor(url: string, id: number, chat = id) {
    this.#url = url
    this.id = id
    this.chat = chat
  }

  /** @param index which of the stand-in's people */
  static async meet(url: string, index = 0): Promise<Person> {
    const response = await fetch(new URL('/sim/state', url))
    const person = State.parse(await response.json()).people[index]
    if (!person) throw new Error('there is no such person')
    return new Person(url, person.id)
  }

  /** The same person in a group that they make, with the bot in it. */
  async opensGroup(title: string): Promise<Person> {
    const group = z
      .looseObject({ id: z.int() })
      .parse(await this.#post('/sim/groups', { title, members: [this.id], forum: true }))
    return new Person(this.#url, this.id, group.id)
  }

  async botName(): Promise<string> {
    return State.parse(await (await fetch(new URL('/sim/state', this.#url))).json()).bot.username
  }

  say(text: string): Promise<unknown> {
    return this.#post('/sim/text', { from: this.id, chat: this.chat, text })
  }

  /** Changes what they said last. */
  async edit(text: string): Promise<unknown> {
    const { messages } = await this.read()
    const last = messages.findLast(({ from }) => from?.id === this.id)
    return this.#post('/sim/edit', { from: this.id, chat: this.chat, message_id: last?.message_id, text })
  }

  /** Sends a document. */
  async sendFile(name: string, content: string): Promise<void> {
    const query = new URLSearchParams({ from: String(this.id), chat: String(this.chat), kind: 'document', name })
    const response = await fetch(new URL(`/sim/file?${query}`, this.#url), { method: 'POST', body: content })
    if (!response.ok) throw new Error(await response.text())
  }

  /** Trouble on the way of the bot's next message here. */
  async loseNextMessage(): Promise<unknown> {
    return this.#post('/sim/faults', { kind: 'drop_before', method: 'sendMessage', chat_id: this.chat, times: 1 })
  }

  /** Says something and waits for the answer that comes after it. */
  async ask(text: string, expected: string | RegExp): Promise<string> {
    await this.say(text)
    return this.#until(`an answer with ${expected} to “${text}”`, async () => {
      const { messages } = await this.read()
      const asked = messages.findLastIndex((message) => message.from?.id === this.id)
      const answers = messages.slice(asked + 1).map((message) => message.text ?? '')
      return answers.find((said) => (typeof expected === 'string' ? said.includes(expected) : expected.test(said)))
    })
  }

  /** Does something and waits for a call to Telegram after it that shows this, as a new message or in place of an old one. */
  async shows(act: () => Promise<unknown>, expected: string): Promise<string> {
    const before = (await this.#calls()).length
    await act()
    return this.#until(`Telegram to be sent “${expected}”`, async () => {
      const taken = (await this.#calls()).slice(before).filter(({ ok }) => ok)
      return taken.map(wordsOf).find((text) => text.includes(expected))
    })
  }

  /** Calls of the bot in this chat that Telegram did not take; those that got lost on the way are none. */
  async refusedCalls(): Promise<unknown[]> {
    return (await this.#calls()).filter(({ ok, status }) => !ok && status !== 0)
  }

  /** The data of every button that was ever shown here. */
  async shownButtons(): Promise<string[]> {
    const keyboards = (await this.#calls()).flatMap(({ params }) => params.reply_markup?.inline_keyboard?.flat() ?? [])
    return keyboards.flatMap(({ callback_data }) => (callback_data === undefined ? [] : [callback_data]))
  }

  start(payload = ''): Promise<unknown> {
    return this.#post('/sim/start', { from: this.id, payload })
  }

  /** Presses the newest button whose text has this in it. @returns what it sent back */
  async press(text: string): Promise<string> {
    const button = await this.#until(`a button “${text}”`, async () => {
      const { messages } = await this.read()
      for (const message of messages.toReversed()) {
        const found = message.reply_markup?.inline_keyboard?.flat().find((candidate) => candidate.text.includes(text))
        if (found) return { message, text: found.text, data: found.callback_data ?? '' }
      }
      return undefined
    })
    await this.#post('/sim/press', {
      from: this.id,
      chat: this.chat,
      message_id: button.message.message_id,
      text: button.text,
    })
    return button.data
  }

  async read(): Promise<z.infer<typeof Messages>> {
    const response = await fetch(new URL(`/sim/chats/${this.chat}/messages?limit=400`, this.#url))
    return Messages.parse(await response.json())
  }

  /** What the bot has said, oldest first. */
  async botTexts(): Promise<string[]> {
    const { messages } = await this.read()
    return messages.filter((message) => message.from?.is_bot).map((message) => message.text ?? '')
  }

  /** Waits until the bot has said it in a message (not a draft). */
  hears(text: string | RegExp): Promise<string> {
    return this.#until(`the bot to say ${text}`, async () => {
      const texts = await this.botTexts()
      return texts.findLast((said) => (typeof text === 'string' ? said.includes(text) : text.test(said)))
    })
  }

  /** Waits until a draft shows at least so many characters. */
  seesDraft(chars = 1): Promise<string> {
    return this.#until('a draft', async () => {
      const { drafts } = await this.read()
      return drafts.map(({ text }) => text ?? '').find((text) => text.length >= chars)
    })
  }

  receives(fileName: string): Promise<Message> {
    return this.#until(`the file ${fileName}`, async () => {
      const { messages } = await this.read()
      return messages.find(({ document }) => document?.file_name === fileName)
    })
  }

  /** From nothing to an agent that has introduced itself. */
  async createAgent(name: string): Promise<void> {
    await this.say('/create')
    await this.hears('be called')
    await this.say(name)
    await this.press('Skip')
    await this.press('Qwen')
    await this.press('Create')
    await this.hears(`I'm ${name}`)
  }

  async #calls(): Promise<z.infer<typeof Calls>> {
    const response = await fetch(new URL(`/sim/calls?chat=${this.chat}`, this.#url))
    return Calls.parse(await response.json())
  }

  async #until<T>(what: string, look: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> {
    const deadline = Date.now() + limitMs
    while (Date.now() < deadline) {
      const found = await look()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    throw new Error(`waited in vain for ${what}; the bot said last: ${(await this.botTexts()).slice(-3).join(' ‖ ')}`)
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(new URL(path, this.#url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return response.json()
  }
}

/** What a call shows, whatever it is shown as. */
function wordsOf({ params: { text, caption, rich_message } }: Call): string {
  return text ?? caption ?? (rich_message === undefined ? '' : JSON.stringify(rich_message))
}
