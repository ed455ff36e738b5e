/** People who each talk to an agent of their own: the next question when the answer to the last one stands in the chat. */
import type { Message } from 'grammy/types'
import { deliveryWords } from '../../functions/chat/delivery-words.ts'
import type { Sim } from '../../local/telegram/sim/sim.ts'
import { endMark, markOf } from './marks.ts'

const LOOK_EVERY_MS = 100
/** A person who is asked whether a message came reads first. */
const READS_FOR_MS = 10_000
/** An answer that has not come by then is lost. */
const PATIENCE_MS = 120_000

export interface ConversationOptions {
  readonly chats: number
  /** Questions per chat; no limit but the time when absent. */
  readonly messages: number
  readonly untilMs: number
  /** What would come twice gets time to show. */
  readonly settleMs: number
  personOf(index: number): number
  /** The person's own. */
  agentOf(index: number): string
}

export interface Heard {
  readonly asked: number
  readonly latenciesMs: readonly number[]
  readonly lost: string[]
  readonly duplicated: string[]
  /** How often Telegram's silence left it to the person, and they asked for the message again. */
  readonly askedAgain: number
}

interface Talk {
  readonly person: number
  asked: number
  askedAt: number
  /** Nothing at or below this id answers the question that is open. */
  lastMessageId: number
  isDone: boolean
}

export async function converse(sim: Sim, options: ConversationOptions): Promise<Heard> {
  const talks: Talk[] = Array.from({ length: options.chats }, (_, index) => ({
    person: sim.addPerson({ id: options.personOf(index), first_name: `Planted Name ${index}`, language_code: 'en' }).id,
    asked: 0,
    askedAt: 0,
    lastMessageId: 0,
    isDone: false,
  }))
  await Promise.all(talks.map((talk, index) => chooseAgent(sim, talk, options.agentOf(index))))
  const lost: string[] = []
  const latenciesMs: number[] = []
  const helper = createHelper(sim)
  for (const talk of talks) ask(sim, talk)
  while (talks.some(({ isDone }) => !isDone)) {
    for (const talk of talks) {
      if (talk.isDone) continue
      const answer = openAnswer(sim, talk)
      if (answer) latenciesMs.push(Date.now() - talk.askedAt)
      else if (Date.now() - talk.askedAt > PATIENCE_MS) lost.push(markOf(talk.person, talk.asked))
      else {
        helper.look(talk)
        continue
      }
      talk.lastMessageId = answer?.message_id ?? talk.lastMessageId
      if (talk.asked >= options.messages || Date.now() >= options.untilMs) talk.isDone = true
      else ask(sim, talk)
    }
    await sleep(LOOK_EVERY_MS)
  }
  await sleep(options.settleMs)
  const duplicated = talks.flatMap((talk) => findDuplicates(sim, talk))
  return {
    asked: talks.reduce((sum, { asked }) => sum + asked, 0),
    latenciesMs,
    // What came after all, late, is not lost.
    lost: lost.filter(
      (mark) => !talks.some(({ person }) => sim.botMessages(person).some((message) => answers(message, mark))),
    ),
    duplicated,
    askedAgain: helper.count(),
  }
}

async function chooseAgent(sim: Sim, talk: Talk, agentId: string): Promise<void> {
  sim.sendText({ from: talk.person }, '/list')
  const shown = await sim.waitForBot(talk.person, () => true, { timeoutMs: 60_000 })
  const before = shown.text
  sim.pressRaw(talk.person, shown, `a:chat:${agentId}`)
  await sim.waitFor(
    () =>
      sim.botMessages(talk.person).some((message) => message.message_id > shown.message_id || message.text !== before),
    { timeoutMs: 60_000 },
  )
  talk.lastMessageId = shown.message_id
}

function ask(sim: Sim, talk: Talk): void {
  talk.asked += 1
  talk.askedAt = Date.now()
  sim.sendText({ from: talk.person }, `Please answer ${markOf(talk.person, talk.asked)}`)
}

function openAnswer(sim: Sim, talk: Talk): Message | undefined {
  const mark = markOf(talk.person, talk.asked)
  return recent(sim, talk).find((message) => message.message_id > talk.lastMessageId && answers(message, mark))
}

/** The final: a preview that still has its stop button is not it. */
function answers(message: Message, mark: string): boolean {
  const text = message.text ?? message.caption ?? ''
  return text.includes(endMark(mark)) && message.reply_markup?.inline_keyboard[0]?.[0]?.text !== '⏹ Stop'
}

function recent(sim: Sim, { person }: Talk): Message[] {
  return sim.world.messages.list({ chatId: person, limit: 12 }).filter(({ from }) => from?.is_bot)
}

function findDuplicates(sim: Sim, { person, asked }: Talk): string[] {
  const messages = sim.botMessages(person)
  const marks = Array.from({ length: asked }, (_, index) => markOf(person, index + 1))
  return marks.filter((mark) => messages.filter((message) => answers(message, mark)).length > 1)
}

/** Presses "send it again" as a person does who was asked whether a message came, and it had not. */
function createHelper(sim: Sim) {
  const seenAt = new Map<string, number>()
  const pressed = new Set<string>()
  return {
    look(talk: Talk): void {
      for (const message of recent(sim, talk)) {
        const button = message.reply_markup?.inline_keyboard[0]?.[0]
        const key = `${talk.person}/${message.message_id}`
        if (button?.text !== deliveryWords().resend || pressed.has(key)) continue
        const first = seenAt.get(key) ?? Date.now()
        seenAt.set(key, first)
        if (Date.now() - first < READS_FOR_MS) continue
        pressed.add(key)
        sim.press(talk.person, talk.person, message.message_id, { text: button.text })
      }
    },
    count: () => pressed.size,
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
