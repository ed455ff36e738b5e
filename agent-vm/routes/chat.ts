/** Turns: start or find one and read its events, steer, stop; compact and clear a chat. */
import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { ChatCompactor } from '../history/chat-compactor.ts'
import type { History } from '../history/history.ts'
import { ChatId, ChatRequest, type ChatUser, SteerRequest } from '../protocol.ts'
import { openEventStream } from '../turn/event-stream.ts'
import type { Journal } from '../turn/journal.ts'
import type { Turns } from '../turn/turns.ts'
import { readBody, refuse } from './json-body.ts'

/** Someone who calls without saying who they are holds the secret: the owner, alone with the server. */
const OWNER: ChatUser = { id: 'owner', name: '', role: 'owner' }
/** A stopped turn ends within a second; clearing waits for it a little longer. */
const CLEAR_WAIT_MS = 5000

export interface ChatRoutePorts {
  readonly turns: Turns
  readonly journal: Journal
  readonly history: History
  readonly compactor: ChatCompactor
}

export function chatRoutes({ turns, journal, history, compactor }: ChatRoutePorts): Hono {
  const app = new Hono()
  app.post('/chat', async (c) => {
    const request = await readBody(c, ChatRequest)
    const turn = turns.start({
      turnId: request.turn_id ?? randomUUID(),
      chatId: request.chat_id,
      origin: 'chat',
      message: request.message,
      user: request.user ?? OWNER,
      attachments: request.attachments ?? [],
    })
    if (!turn) throw refuse(409, { error: 'turn_id_taken', message: 'This turn belongs to another chat.' })
    const afterId = Number.parseInt(c.req.header('last-event-id') ?? '0', 10) || 0
    const stream = openEventStream({ turnId: turn.turnId, live: turns.live(turn.turnId), journal }, afterId)
    return c.body(stream, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
  })
  app.post('/chat/:chat_id/steer', async (c) => {
    const { message, id } = await readBody(c, SteerRequest)
    if (turns.steer(chatIdOf(c.req.param('chat_id')), message, id)) return c.json({ status: 'ok' })
    throw refuse(409, { error: 'no_turn', message: 'No turn runs in this chat.' })
  })
  app.post('/chat/:chat_id/stop', (c) => c.json({ stopped: turns.stop(chatIdOf(c.req.param('chat_id'))) }))
  app.post('/chat/:chat_id/compact', async (c) => c.json(await compactor.compact(chatIdOf(c.req.param('chat_id')))))
  app.delete('/chat/:chat_id', async (c) => {
    const chatId = chatIdOf(c.req.param('chat_id'))
    turns.stop(chatId)
    await Promise.race([turns.settled(chatId), new Promise((resolve) => setTimeout(resolve, CLEAR_WAIT_MS).unref())])
    return c.json({ status: 'ok', deleted: history.clear(chatId) })
  })
  return app
}

function chatIdOf(value: string): string {
  const chatId = ChatId.safeParse(value)
  if (chatId.success) return chatId.data
  throw refuse(400, { error: 'invalid_request', message: 'chat_id is not valid' })
}
