/** An outbox and its sender before a fake Telegram, in a time of their own. */
import { AgentRefused, AgentUnreachable } from '../agent-client.ts'
import { ChatBudget } from '../chat-budget.ts'
import { deliveryWords } from '../delivery-words.ts'
import { Outbox } from '../outbox.ts'
import { OutboxSender } from '../outbox-sender.ts'
import type { Outgoing } from '../outgoing.ts'
import { plainText } from '../text/formatted-text.ts'
import { fakeChatDatabase } from './chat-database.fake.ts'
import { FakeClock } from './clock.fake.ts'
import { FakeTelegram, type Fault } from './telegram-client.fake.ts'

export function startOutbox({ mayProbe = true }: { mayProbe?: boolean } = {}) {
  const clock = new FakeClock()
  const outbox = new Outbox(fakeChatDatabase())
  outbox.noteSeen(100)
  const telegram = new FakeTelegram()
  const budget = new ChatBudget(
    { kind: 'private' },
    { now: clock.now, sleep: clock.sleep, saveSilence: () => undefined },
  )
  const chat = {
    clock,
    outbox,
    telegram,
    budget,
    closed: [] as string[],
    isClosed: false,
    migrated: [] as number[],
    files: new Map<string, string>(),
    unreachable: 0,
    /** So often nobody can say where the agent is. */
    lost: 0,
    breakingOff: 0,
    openedAt: 0,
    tooLarge: false,
    say(words: string, options: { ref?: string } = {}) {
      rows += 1
      outbox.add(`row-${rows}`, text(words, options), clock.now())
    },
    failOnce(method: string, fault: Fault) {
      const before = telegram.fail
      let isDone = false
      telegram.fail = (called) => {
        if (called !== method || isDone) return before(called)
        isDone = true
        return fault
      }
    },
    failTimes(method: string, times: number, fault: Fault) {
      for (let n = 0; n < times; n++) chat.failOnce(method, fault)
    },
    states: () => {
      const states = []
      for (let seq = 1; ; seq++) {
        const row = outbox.find(seq)
        if (!row) return states
        states.push(row.state)
      }
    },
    async sendOne() {
      const running = chat.sender.step()
      let next: 'more' | number | undefined
      void running.then((result) => {
        next = result
      })
      while (next === undefined) await clock.advance(200)
      return next
    },
    /** Runs the sender until nothing is left, moving the clock along. */
    async drain() {
      for (let steps = 0; steps < 500; steps++) {
        const next = await chat.sendOne()
        if (next === 'more') continue
        if (!Number.isFinite(next)) return
        await clock.advance(next - clock.now())
      }
      throw new Error('the outbox does not come to an end')
    },
    sender: undefined as unknown as OutboxSender,
  }
  let rows = 0
  chat.sender = new OutboxSender({
    outbox,
    budget,
    telegram,
    destination: () => ({ chatId: 42, threadId: 5 }),
    mayProbe: () => mayProbe,
    words: () => deliveryWords('en'),
    agent: async () => {
      if (chat.lost-- > 0) throw new Error('the database does not answer')
      return {
        getFile: async (path) => {
          if (chat.unreachable-- > 0) throw new AgentUnreachable('down')
          chat.openedAt = clock.now()
          if (chat.breakingOff-- > 0) return { body: brokenStream(), bytes: 10 }
          const content = chat.files.get(path)
          if (content === undefined) throw new AgentRefused(404, '/files/…', undefined)
          const bytes = new TextEncoder().encode(content)
          return { body: new Blob([bytes]).stream(), bytes: chat.tooLarge ? 60 * 1024 * 1024 : bytes.byteLength }
        },
        exportAll: () => Promise.reject(new AgentUnreachable('down')),
      }
    },
    onMessage: () => undefined,
    onClosed: (reason) => {
      chat.closed.push(reason)
      chat.isClosed = true
    },
    isClosed: () => chat.isClosed,
    onThreadGone: () => undefined,
    onMigrated: (chatId) => chat.migrated.push(chatId),
    now: clock.now,
  })
  return chat
}

export function text(words: string, { ref }: { ref?: string } = {}): Outgoing {
  return { kind: 'send', text: plainText(words), ...(ref ? { ref } : {}) }
}

export function edit(ref: string, words: string): Outgoing {
  return { kind: 'edit', target: { ref }, text: plainText(words) }
}

function brokenStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.error(new Error('connection reset')) })
}
