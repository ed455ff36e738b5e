import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SimEvent } from '../state/events.ts'
import { Store } from './store.ts'

const ANN = 100

/** The browser's side of the page, just when it has asked the server for a chat; the server answers when it is told to. */
async function pageThatAsks() {
  const listeners = new Map<string, (event: { data: string }) => void>()
  class FakeEventSource {
    addEventListener(type: string, listener: (event: { data: string }) => void) {
      listeners.set(type, listener)
    }
  }
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<unknown>()
  vi.stubGlobal('EventSource', FakeEventSource)
  vi.stubGlobal('document', { hidden: true })
  vi.stubGlobal('fetch', async (path: string) => {
    if (path.startsWith('/sim/state')) return Response.json({ user: ANN, chats: [] })
    asked.resolve()
    return Response.json(await answer.promise)
  })
  const store = new Store()
  await store.start(ANN)
  const opened = store.openChat({ chat: ANN, thread: 0 })
  await asked.promise
  const tell = (event: SimEvent) => listeners.get('message')?.({ data: JSON.stringify(event) })
  return { store, opened, answer, tell }
}

function message(id: number, text: string) {
  return { message_id: id, date: 1, text, chat: { id: ANN, type: 'private' }, from: { id: 7, is_bot: true } } as never
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the page while it asks for a chat', () => {
  test('keeps a message that comes before the answer does', async () => {
    const { store, opened, answer, tell } = await pageThatAsks()
    tell({ type: 'message', message: message(2, 'Hello') })
    answer.resolve({ messages: [message(1, '/start')], reactions: [], drafts: [] })
    await opened
    expect(store.messages.map(({ text }) => text)).toEqual(['/start', 'Hello'])
  })

  test('hears of everything else too when the chat cannot be had', async () => {
    const { store, opened, answer, tell } = await pageThatAsks()
    const answers: string[] = []
    store.onAnswer(({ text }) => answers.push(text ?? ''))
    tell({ type: 'callback_answer', text: 'Done' } as never)
    answer.reject(new Error('away'))
    await expect(opened).rejects.toThrow('away')
    expect(answers).toEqual(['Done'])
  })
})
