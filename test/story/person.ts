/** Someone who uses Telegram: writes, presses, reads and waits, through the stand-in's side for people. */
import { z } from 'zod'

const Button = z.looseObject({ text: z.string() })
const Message = z.looseObject({
  message_id: z.int(),
  from: z.looseObject({ id: z.int(), is_bot: z.boolean() }).optional(),
  text: z.string().optional(),
  document: z.looseObject({ file_name: z.string().optional() }).optional(),
  reply_markup: z.looseObject({ inline_keyboard: z.array(z.array(Button)).optional() }).optional(),
})
export type Message = z.infer<typeof Message>
const Messages = z.looseObject({
  messages: z.array(Message),
  drafts: z.array(z.looseObject({ text: z.string().optional() })),
})
const Calls = z.array(z.looseObject({ ok: z.boolean(), params: z.looseObject({ text: z.string().optional() }) }))
const State = z.looseObject({ people: z.array(z.looseObject({ id: z.int(), first_name: z.string() })) })

export class Person {
  readonly id: number
  readonly #url: string

  constructor(url: string, id: number) {
    this.#url = url
    this.id = id
  }

  /** @param index which of the stand-in's people */
  static async meet(url: string, index = 0): Promise<Person> {
    const response = await fetch(new URL('/sim/state', url))
    const person = State.parse(await response.json()).people[index]
    if (!person) throw new Error('there is no such person')
    return new Person(url, person.id)
  }

  say(text: string): Promise<unknown> {
    return this.#post('/sim/text', { from: this.id, text })
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
      const texts = (await this.#calls()).slice(before).flatMap(({ ok, params }) => (ok ? [params.text ?? ''] : []))
      return texts.find((text) => text.includes(expected))
    })
  }

  /** Calls of the bot in this chat that Telegram did not take. */
  async refusedCalls(): Promise<unknown[]> {
    return (await this.#calls()).filter(({ ok }) => !ok)
  }

  start(payload = ''): Promise<unknown> {
    return this.#post('/sim/start', { from: this.id, payload })
  }

  /** Presses the newest button whose text has this in it. */
  async press(text: string): Promise<void> {
    const button = await this.#until(`a button “${text}”`, async () => {
      const { messages } = await this.read()
      for (const message of messages.toReversed()) {
        const found = message.reply_markup?.inline_keyboard?.flat().find((candidate) => candidate.text.includes(text))
        if (found) return { message, text: found.text }
      }
      return undefined
    })
    await this.#post('/sim/press', {
      from: this.id,
      chat: this.id,
      message_id: button.message.message_id,
      text: button.text,
    })
  }

  async read(): Promise<z.infer<typeof Messages>> {
    const response = await fetch(new URL(`/sim/chats/${this.id}/messages?limit=400`, this.#url))
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
    const response = await fetch(new URL(`/sim/calls?chat=${this.id}`, this.#url))
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
