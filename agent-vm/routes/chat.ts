/** Turns: start or find one and read its events, steer, stop; compact and clear a chat. */
import { randomUUID } from 'node:crypto'
import type { ChatCompactor } from '../history/chat-compactor.ts'
import type { History } from '../history/history.ts'
import { ChatId, ChatRequest, type ChatUser, SteerRequest, StopRequest } from '../protocol.ts'
import { writeEvents } from '../turn/event-stream.ts'
import type { Journal } from '../turn/journal.ts'
import type { Turns } from '../turn/turns.ts'
import { type Call, json, Refused, type Route, readBody } from './route.ts'

/** Someone who calls without saying who they are holds the secret: the owner, alone with the server. */
const OWNER: ChatUser = { id: 'owner', name: '', role: 'owner' }
/** A stopped turn ends within a second; clearing waits for it a little longer. */
const CLEAR_WAIT_MS = 5000
const EVENT_STREAM = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
}

export interface ChatRoutePorts {
  readonly turns: Turns
  readonly journal: Journal
  readonly history: History
  readonly compactor: ChatCompactor
}

export function chatRoutes({ turns, journal, history, compactor }: ChatRoutePorts): Route[] {
  return [
    {
      method: 'POST',
      path: '/chat',
      handle: async (call) => {
        const request = await readBody(call, ChatRequest)
        const turn = turns.start({
          turnId: request.turn_id ?? randomUUID(),
          chatId: request.chat_id,
          origin: 'chat',
          message: request.message,
          user: request.user ?? OWNER,
          attachments: request.attachments ?? [],
        })
        if (!turn) throw new Refused(409, { error: 'turn_id_taken', message: 'This turn belongs to another chat.' })
        const source = { turnId: turn.turnId, live: turns.live(turn.turnId), journal }
        const afterId = Number.parseInt(String(call.request.headers['last-event-id'] ?? '0'), 10) || 0
        return { status: 200, headers: EVENT_STREAM, body: (response) => writeEvents(source, afterId, response) }
      },
    },
    {
      method: 'POST',
      path: '/chat/:chat_id/steer',
      handle: async (call) => {
        const { message, id } = await readBody(call, SteerRequest)
        if (turns.steer(chatIdOf(call), message, id)) return json({ status: 'ok' })
        throw new Refused(409, { error: 'no_turn', message: 'No turn runs in this chat.' })
      },
    },
    {
      method: 'POST',
      path: '/chat/:chat_id/stop',
      handle: async (call) => {
        const chatId = chatIdOf(call)
        const { turn_id } = await readBody(call, StopRequest, { whenEmpty: {} })
        return json({ stopped: turns.stop(chatId, turn_id) })
      },
    },
    {
      method: 'POST',
      path: '/chat/:chat_id/compact',
      handle: async (call) => json(await compactor.compact(chatIdOf(call))),
    },
    {
      method: 'DELETE',
      path: '/chat/:chat_id',
      handle: async (call) => {
        const chatId = chatIdOf(call)
        turns.stop(chatId)
        const patience = new Promise((resolve) => setTimeout(resolve, CLEAR_WAIT_MS).unref())
        await Promise.race([turns.settled(chatId), patience])
        return json({ status: 'ok', deleted: history.clear(chatId) })
      },
    },
  ]
}

function chatIdOf({ params }: Call): string {
  const chatId = ChatId.safeParse(params.chat_id)
  if (chatId.success) return chatId.data
  throw new Refused(400, { error: 'invalid_request', message: 'chat_id is not valid' })
}
