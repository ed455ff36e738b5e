import { describe, expect, test } from 'vitest'
import type { Language } from './catalogue/catalogue.ts'
import { deliveryWords } from './delivery-words.ts'
import { Outbox } from './outbox.ts'
import { takePending } from './pending-delivery.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'

describe('takePending', () => {
  test('takes each result once, in order, and says how far it got', () => {
    const { take, texts } = start()
    expect(take([result(2, 'second'), result(1, 'first')])).toBe(2)
    expect(take([result(2, 'second'), result(3, 'third')])).toBe(3)
    expect(texts()).toEqual(['⏰ first', '⏰ second', '⏰ third'])
  })

  test('takes the same id of another agent for another result', () => {
    const { take, texts } = start()
    take([result(1, 'one')], 'a')
    take([result(1, 'two')], 'b')
    expect(texts().length).toBe(2)
  })

  test('sends a file without words as a file alone', () => {
    const { take, outbox } = start()
    take([{ ...result(1, ''), file: { path: 'out/chart.png', caption: 'Today' } }])
    expect(outbox.next()?.action).toMatchObject({
      kind: 'agent_file',
      from: { path: 'out/chart.png' },
      name: 'chart.png',
    })
  })

  test('says nothing for a result that no one could see', () => {
    const { take, texts } = start()
    expect(take([result(1, '\u200b')])).toBe(1)
    expect(texts()).toEqual([])
  })

  test('keeps the formatting of a result that begins with a block', () => {
    const { take, outbox } = start()
    take([result(1, '## Weather\n\n- rain')])
    expect(outbox.next()?.action).toMatchObject({
      text: { text: '⏰ Weather\n\n• rain', entities: [{ type: 'bold', offset: 2, length: 7 }] },
    })
  })

  test('puts a result that is a book into a document beside its beginning', () => {
    const { take, outbox } = start()
    const book = 'A line of a book. '.repeat(2_000)
    take([result(1, book)])
    expect([1, 2, 3, 4].map((seq) => outbox.find(seq)?.action.kind)).toEqual(['send', 'send', 'document', undefined])
    expect(outbox.find(3)?.action).toMatchObject({ name: 'result.md', content: book })
  })

  test('takes the same id again when a new machine counts from the beginning', () => {
    const { take, texts } = start()
    take([{ ...result(1, 'before'), created_at: '2026-01-01T00:00:00Z' }])
    take([{ ...result(1, 'after'), created_at: '2026-02-01T00:00:00Z' }])
    expect(texts()).toEqual(['⏰ before', '⏰ after'])
  })

  test('cuts a result that no row would hold, and says so', () => {
    const { take, outbox } = start()
    take([result(1, 'x '.repeat(2_000_000))])
    const document = outbox.find(3)?.action
    expect(JSON.stringify(document).length).toBeLessThan(2_000_000)
    expect(document).toMatchObject({ caption: { text: expect.stringContaining('too long to send') } })
  })

  test('says a failure in the person’s language, and one that has no words here as the agent does', () => {
    const { take, texts } = start('es')
    take([
      { ...result(1, 'The budget for the model is used up.'), code: 'out_of_credit' },
      { ...result(2, 'I long for home.'), code: 'homesick' },
    ])
    expect(texts()).toEqual([`⏰ ${deliveryWords('es').failures.out_of_credit}`, '⏰ I long for home.'])
  })

  test('names the task that failed, as it was typed', () => {
    const { take, texts } = start('es')
    const failed = { ...result(1, 'The model is busy. (Task: “riega *todo*”)'), code: 'rate_limited' }
    take([{ ...failed, task: 'riega *todo*' }])
    take([{ ...failed, id: 2, task: 'x'.repeat(1000) }])
    take([{ ...failed, id: 3, code: 'homesick', task: 'riega' }])
    const [named, long, unknown] = texts()
    expect(named).toBe(`⏰ ${deliveryWords('es').failures.rate_limited}\nLa tarea: «riega *todo*»`)
    expect(long?.length).toBeLessThan(400)
    expect(unknown).toBe('⏰ The model is busy. (Task: “riega todo”)')
  })

  test('is done with nothing', () => {
    expect(start().take([])).toBe(0)
  })
})

function start(language: Language = 'en') {
  const database = fakeChatDatabase()
  const outbox = new Outbox(database)
  return {
    outbox,
    take: (messages: Parameters<typeof takePending>[1], agent = 'a') =>
      takePending(agent, messages, { database, outbox, words: () => deliveryWords(language), now: () => 0 }),
    texts: () => {
      const texts: string[] = []
      for (let seq = 1; ; seq++) {
        const action = outbox.find(seq)?.action
        if (!action) return texts
        if ('text' in action) texts.push(action.text.text)
      }
    },
  }
}

function result(id: number, content: string) {
  return { id, chat_id: '42', content, source: 'schedule', created_at: '' }
}
