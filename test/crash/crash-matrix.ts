/**
 * Kills the Worker again and again, at random moments, while chats talk to their agents and Telegram has troubles of its own;
 * then counts what the people saw. Everything is real but Telegram, the agent and the handlers' words.
 */
import type { Message } from 'grammy/types'
import { seededRandom } from '../../agent-vm/testing/seeded-random.ts'
import { deliveryWords } from '../../functions/chat/delivery-words.ts'
import { type Surroundings, setWebhook, startSurroundings } from '../../functions/chat/testing/delivery-harness.ts'
import type { ApiCall } from '../../local/telegram/bot-api/call-log.ts'
import type { Sim } from '../../local/telegram/sim/sim.ts'
import { type KillableWorker, killableWorker } from './killable-worker.ts'
import { endMark, kindOf, markOf, question, scriptedBrain } from './scripted-turns.ts'

export interface CrashMatrixOptions {
  readonly kills: number
  readonly privateChats: number
  readonly groups: number
  /** Each with two topics that talk at the same time. */
  readonly forums: number
  readonly seed: number
  /** Telegram's own troubles, as chances per call. */
  readonly trouble: {
    readonly flood: number
    readonly serverError: number
    readonly dropBefore: number
    readonly dropAfter: number
  }
  /** The agent's troubles, as chances per kill: its streams break, or it is away for a moment. */
  readonly agentTrouble: number
  readonly onProgress?: (line: string) => void
}

export interface CrashReport {
  readonly kills: number
  readonly turns: number
  /** A kill may hit several turns at once. */
  readonly turnsHit: number
  readonly finalsLost: string[]
  readonly finalsDuplicated: string[]
  readonly filesLost: string[]
  readonly filesDuplicated: string[]
  /** Came twice because a person was asked, did not see it, and wanted it again: Telegram had never told what became of it. */
  readonly duplicatedAtWish: string[]
  readonly outOfOrder: string[]
  /** Chats that were not done long after the last kill. */
  readonly stuck: readonly string[]
  readonly secondRuns: readonly string[]
  /** Previews that were never turned into an answer. */
  readonly leftovers: string[]
  /** The same in topics, where nobody can tell whether a preview arrived whose call was lost. */
  readonly leftoversInTopics: number
  /** Calls into a penalty by a Worker that can have known of it; one that was killed as it heard of it cannot. */
  readonly callsIntoPenalty: number
  readonly callsIntoPenaltyAfterKill: number
  /** Those that were under way as it was told: uploads go beside other calls, and each topic is an object of its own. */
  readonly callsIntoPenaltyUnderWay: number
  /** Sends whose outcome the Worker was not told, and how they ended. */
  readonly unknownSends: {
    readonly found: number
    readonly ruledOut: number
    /** Nobody could tell: the person was asked, … */
    readonly leftToPerson: number
    /** … and asked for it again, because it had not come. */
    readonly askedFor: number
  }
  readonly seconds: number
}

interface Talk {
  /** In the marks of its questions. */
  readonly id: number
  readonly chat: number
  readonly thread: number | undefined
  readonly person: number
  readonly isGroup: boolean
  asked: number
  /** Up to here every answer is there, with its file or document. */
  complete: number
}

const STUCK_AFTER_MS = 120_000
const READS_FOR_MS = 30_000
const WRITTEN_WITHIN_MS = 100
/** From one topic's object over the main one to the next, while the machine is busy. */
const BETWEEN_TOPICS_MS = 1_000

export async function runCrashMatrix(options: CrashMatrixOptions): Promise<CrashReport> {
  const startedAt = Date.now()
  const around = await startSurroundings(scriptedBrain)
  around.agent.files.set('report.txt', new TextEncoder().encode('a report'))
  const config = new URL('../../functions/chat/testing/wrangler.toml', import.meta.url).pathname
  const worker = await killableWorker({ config, dataDir: around.dataDir, variables: around.variables })
  try {
    await worker.start()
    await setWebhook(around.telegram, `${worker.url}/telegram/7000000001`)
    const talks = beginTalks(around, options)
    orderTrouble(around, options)
    const talking = startTalking(around, talks)
    const killedAt: number[] = []
    const turnsHit = await killAgainAndAgain(worker, around, { ...options, talks, killedAt })
    const stuck = await talking.finish()
    const report = inspect(around, talks, talking.wishes)
    return {
      kills: options.kills,
      turns: talks.reduce((sum, { asked }) => sum + asked, 0),
      turnsHit,
      ...report,
      ...intoPenalties(around.telegram.sim.calls(), killedAt, options.onProgress),
      stuck,
      unknownSends: { ...countUnknown(worker.lines), askedFor: talking.wishes.length },
      seconds: Math.round((Date.now() - startedAt) / 1000),
    }
  } finally {
    await worker.stop()
    await around.close()
  }
}

function beginTalks({ telegram: { sim } }: Surroundings, options: CrashMatrixOptions): Talk[] {
  const { privateChats, groups, forums } = options
  const newcomer = () => sim.addPerson({ first_name: 'P' }).id
  const rooms: Pick<Talk, 'chat' | 'thread' | 'person' | 'isGroup'>[] = []
  for (let n = 0; n < privateChats; n++) {
    const person = newcomer()
    rooms.push({ chat: person, thread: undefined, person, isGroup: false })
  }
  for (let n = 0; n < groups; n++) {
    const person = newcomer()
    const { id: chat } = sim.addGroup({ title: `G${n}`, members: [person], type: 'supergroup', announce: false })
    rooms.push({ chat, thread: undefined, person, isGroup: true })
  }
  for (let n = 0; n < forums; n++) {
    const person = newcomer()
    const { id: chat } = sim.addGroup({ title: `F${n}`, members: [person], forum: true, topics: ['One', 'Two'] })
    const threads = sim.messages(chat).filter((message) => message.forum_topic_created)
    for (const { message_thread_id: thread } of threads) rooms.push({ chat, thread, person, isGroup: true })
  }
  return rooms.map((room, n) => ({ id: n + 1, ...room, asked: 0, complete: 0 }))
}

function orderTrouble({ telegram: { sim } }: Surroundings, { trouble, seed }: CrashMatrixOptions): void {
  sim.fault({ kind: 'flood', retry_after: 2, probability: trouble.flood, seed })
  sim.fault({ kind: 'server_error', probability: trouble.serverError, seed: seed + 1 })
  sim.fault({ kind: 'drop_before', probability: trouble.dropBefore, seed: seed + 2 })
  sim.fault({ kind: 'drop_after', probability: trouble.dropAfter, seed: seed + 3 })
}

/** Each chat asks the next thing as soon as it has seen the end of the answer before. */
function startTalking({ telegram: { sim }, botName }: Surroundings, talks: readonly Talk[]) {
  let isOver = false
  const ask = (talk: Talk) => {
    talk.asked += 1
    const words = question(talk.id, talk.asked)
    const at = { from: talk.person, chat: talk.chat, ...(talk.thread === undefined ? {} : { thread: talk.thread }) }
    sim.sendText(at, talk.isGroup ? `@${botName} ${words}` : words)
  }
  const pressed = new Set<string>()
  const wishes: Wish[] = []
  const seen = new Map<string, { at: number; asked: number }>()
  /** As a person does who is asked whether a message came: looks for just that, and asks for it again if it is not there. */
  const answerLines = (talk: Talk) => {
    const shown = recent(sim, talk)
    for (const line of shown) {
      const button = line.reply_markup?.inline_keyboard[0]?.[0]
      const key = `${talk.chat}/${line.message_id}`
      if (button?.text !== deliveryWords().resend || pressed.has(key)) continue
      const { at, asked } = seen.get(key) ?? { at: Date.now(), asked: talk.asked }
      seen.set(key, { at, asked })
      // Nobody presses before they have read, and looked.
      if (Date.now() - at < READS_FOR_MS) continue
      pressed.add(key)
      const label = /“(.*?)…?”/s.exec(line.text ?? '')?.[1] ?? ''
      if (isThere(sim, talk, { label, line, asked })) continue
      wishes.push({ talk, label })
      sim.press(talk.person, talk.chat, line.message_id, { text: button.text })
    }
  }
  const isAnswered = (talk: Talk) => recent(sim, talk).some((message) => says(message, talk, talk.asked))
  const timer = setInterval(() => {
    for (const talk of talks) {
      answerLines(talk)
      if (!isOver && isAnswered(talk)) ask(talk)
    }
  }, 200)
  for (const talk of talks) ask(talk)
  return {
    /** @returns the chats that are still waiting for their last answer when the time is up */
    async finish(): Promise<string[]> {
      isOver = true
      sim.clearFaults()
      const deadline = Date.now() + STUCK_AFTER_MS
      const waiting = () => talks.filter((talk) => !isComplete(sim, talk))
      while (waiting().length > 0 && Date.now() < deadline) await sleep(200)
      // What would come twice gets time to show.
      await sleep(8_000)
      clearInterval(timer)
      return waiting().map((talk) => markOf(talk.id, talk.asked))
    },
    /** What people asked for again. */
    wishes,
  }
}

interface Wish {
  readonly talk: Talk
  readonly label: string
}

/** "I could not make sure that this reached you": it quotes the message, and is none. */
function isLine({ reply_markup }: Message): boolean {
  return reply_markup?.inline_keyboard[0]?.[0]?.text === deliveryWords().resend
}

function isThere(
  sim: Sim,
  talk: Talk,
  { label, line, asked }: { label: string; line: Message; asked: number },
): boolean {
  const messages = said(sim, talk)
  // All documents say the same: it is there if every long answer above the line has one.
  if (label === deliveryWords().longAnswer) {
    const above = messages.filter(({ message_id }) => message_id < line.message_id)
    const documents = above.filter(({ document }) => document?.file_name === 'answer.md')
    const answers = Array.from({ length: asked }, (_, n) => n + 1).filter(
      (number) => kindOf(number) === 'long' && above.some((message) => says(message, talk, number)),
    )
    return documents.length >= answers.length
  }
  return messages.some((message) => !isLine(message) && (message.text ?? message.caption ?? '').includes(label))
}

/** What a person has on the screen. */
function recent(sim: Sim, { chat, thread }: Talk): Message[] {
  const at = { chatId: chat, ...(thread === undefined ? {} : { threadId: thread }), limit: 40 }
  return sim.world.messages.list(at).filter((message) => message.from?.is_bot)
}

function said(sim: Sim, { chat, thread }: Talk): Message[] {
  const messages = sim.botMessages(chat)
  return thread === undefined ? messages : messages.filter((message) => message.message_thread_id === thread)
}

/** The answer to every question, with its file or document. */
function isComplete(sim: Sim, talk: Talk, upTo = talk.asked): boolean {
  const messages = said(sim, talk)
  const documents = messages.filter(({ document }) => document?.file_name === 'answer.md').length
  // What was complete once stays so.
  for (let number = talk.complete + 1; number <= upTo; number++) {
    if (!messages.some((message) => says(message, talk, number))) return false
    if (hasFile(number) && !messages.some((message) => isFileOf(message, talk, number))) return false
    if (documents < longUpTo(number)) return false
    talk.complete = number
  }
  return true
}

function longUpTo(number: number): number {
  return Array.from({ length: number }, (_, n) => kindOf(n + 1)).filter((kind) => kind === 'long').length
}

function hasFile(number: number): boolean {
  return kindOf(number).includes('file')
}

function isFileOf(message: Message, talk: Talk, number: number): boolean {
  return message.caption === `file-${markOf(talk.id, number)}`
}

function says(message: Message, talk: Talk, number: number): boolean {
  if (isLine(message)) return false
  const text = message.text ?? message.caption ?? ''
  const mark = markOf(talk.id, number)
  // The end of a long answer is in its document.
  if (kindOf(number) === 'long') return text.includes(`of ${mark}`) && /Paragraph 0 /.test(text)
  return text.includes(endMark(mark)) && message.reply_markup?.inline_keyboard[0]?.[0]?.text !== '⏹ Stop'
}

async function killAgainAndAgain(
  worker: KillableWorker,
  { agent }: Surroundings,
  options: CrashMatrixOptions & { readonly talks: readonly Talk[]; readonly killedAt: number[] },
): Promise<number> {
  const { kills, seed, talks, killedAt, agentTrouble, onProgress } = options
  const random = seededRandom(seed)
  let hit = 0
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(100 + random() * 1_500)
    if (random() < agentTrouble) await troubleAgent(agent, random() * 600)
    await sleep(random() * 1_500)
    const running = agent.openReaders()
    hit += running
    await worker.kill()
    killedAt.push(Date.now())
    await sleep(random() * 300)
    await worker.start()
    onProgress?.(`kill ${kill}: ${running} turns hit, ${talks.reduce((sum, { asked }) => sum + asked, 0)} asked so far`)
  }
  return hit
}

async function troubleAgent(agent: Surroundings['agent'], awayMs: number): Promise<void> {
  agent.cutStreams()
  agent.down = true
  await sleep(awayMs)
  agent.down = false
}

function inspect({ telegram: { sim }, agent }: Surroundings, talks: readonly Talk[], wishes: readonly Wish[]) {
  const finalsLost: string[] = []
  const finalsDuplicated: string[] = []
  const filesLost: string[] = []
  const filesDuplicated: string[] = []
  const outOfOrder: string[] = []
  const leftovers: string[] = []
  const duplicatedAtWish: string[] = []
  let leftoversInTopics = 0
  for (const talk of talks) {
    const messages = said(sim, talk)
    let lastId = 0
    for (let number = 1; number <= talk.asked; number++) {
      const mark = markOf(talk.id, number)
      const finals = messages.filter((message) => says(message, talk, number))
      if (finals.length === 0) finalsLost.push(mark)
      const isWanted = wishes.some((wish) => wish.talk === talk && wish.label.includes(mark))
      if (finals.length > 1) (isWanted ? duplicatedAtWish : finalsDuplicated).push(mark)
      const id = finals[0]?.message_id ?? lastId
      if (id < lastId) outOfOrder.push(mark)
      lastId = Math.max(lastId, id)
      if (hasFile(number)) {
        const files = messages.filter((message) => isFileOf(message, talk, number))
        if (files.length === 0) filesLost.push(mark)
        if (files.length > 1) (isWanted ? duplicatedAtWish : filesDuplicated).push(mark)
      }
    }
    for (const message of messages) {
      if (message.reply_markup?.inline_keyboard[0]?.[0]?.text !== '⏹ Stop') continue
      if (talk.thread === undefined) leftovers.push(`${talk.chat}/${message.message_id}`)
      else leftoversInTopics += 1
    }
    const isWanted = wishes.some((wish) => wish.talk === talk && wish.label === deliveryWords().longAnswer)
    checkDocuments(talk, messages, { filesLost, filesDuplicated: isWanted ? duplicatedAtWish : filesDuplicated })
  }
  return {
    finalsLost,
    finalsDuplicated,
    filesLost,
    filesDuplicated,
    duplicatedAtWish,
    outOfOrder,
    leftovers,
    leftoversInTopics,
    secondRuns: [...agent.runs].filter(([, runs]) => runs > 1).map(([id]) => id),
  }
}

function intoPenalties(
  calls: readonly ApiCall[],
  killedAt: readonly number[],
  onProgress: CrashMatrixOptions['onProgress'],
): Pick<CrashReport, 'callsIntoPenalty' | 'callsIntoPenaltyAfterKill' | 'callsIntoPenaltyUnderWay'> {
  let callsIntoPenalty = 0
  let callsIntoPenaltyAfterKill = 0
  let callsIntoPenaltyUnderWay = 0
  calls.forEach((call, index) => {
    if (!call.in_penalty) return
    const told = calls.slice(0, index).findLast(({ chat_id, status }) => chat_id === call.chat_id && status === 429)
    const heardAt = told ? told.at + told.ms : call.at
    // What was heard is written within a moment; the write is lost when the kill comes before.
    const isAfterKill = killedAt.some((at) => at >= heardAt && at <= heardAt + WRITTEN_WITHIN_MS && at <= call.at)
    const isOfOther = told !== undefined && threadOf(told) !== threadOf(call)
    const isUnderWay = call.at < heardAt + (isOfOther ? BETWEEN_TOPICS_MS : 0)
    if (isUnderWay) callsIntoPenaltyUnderWay += 1
    else if (isAfterKill) callsIntoPenaltyAfterKill += 1
    else callsIntoPenalty += 1
    const how = isUnderWay ? 'under way' : isAfterKill ? 'a kill between' : 'by the same Worker'
    const when = `${call.at - heardAt} ms after it was told (${told?.method}), ${how}`
    onProgress?.(`into a penalty: ${call.method}, ${when}, ${JSON.stringify(call.params).slice(0, 200)}`)
  })
  return { callsIntoPenalty, callsIntoPenaltyAfterKill, callsIntoPenaltyUnderWay }
}

function threadOf({ params }: ApiCall): string {
  return String(params.message_thread_id ?? '')
}

/** A long answer is complete with its document, once. */
function checkDocuments(
  talk: Talk,
  messages: readonly Message[],
  { filesLost, filesDuplicated }: { filesLost: string[]; filesDuplicated: string[] },
): void {
  const long = Array.from({ length: talk.asked }, (_, n) => n + 1).filter((number) => kindOf(number) === 'long')
  const documents = messages.filter(({ document }) => document?.file_name === 'answer.md')
  for (let missing = documents.length; missing < long.length; missing++) filesLost.push(`${talk.chat}: a document`)
  for (let extra = long.length; extra < documents.length; extra++) filesDuplicated.push(`${talk.chat}: a document`)
}

function countUnknown(lines: readonly string[]) {
  const count = (event: string) => lines.filter((line) => line.includes(`"event":"${event}"`)).length
  return { found: count('arrival_found'), ruledOut: count('arrival_ruled_out'), leftToPerson: count('arrival_unknown') }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
