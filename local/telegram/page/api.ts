/** The page's side of `/sim`. */
import type { Message } from 'grammy/types'
import type { StateView } from '../sim/view.ts'
import type { Draft } from '../state/drafts.ts'
import type { Reaction } from '../state/messages.ts'

export interface Where {
  readonly from: number
  readonly chat: number
  readonly thread: number
}

export interface History {
  readonly messages: Message[]
  readonly reactions: readonly { readonly message_id: number; readonly reactions: Reaction[] }[]
  readonly drafts: Draft[]
}

export class RefusedByServer extends Error {}

async function request(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`/sim${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (!response.ok) throw new RefusedByServer((answer as { error?: string }).error ?? String(response.status))
  return answer
}

const post = (path: string, body: unknown) => request('POST', path, body)

/** Only what a place needs: thread 0 is no thread. */
function place({ from, chat, thread }: Where): Record<string, number> {
  return { from, chat, ...(thread > 0 ? { thread } : {}) }
}

export const api = {
  state: async (user: number | undefined) =>
    (await request('GET', `/state${user === undefined ? '' : `?user=${user}`}`)) as StateView,

  history: async (chat: number, thread: number | undefined, before?: number) => {
    const query = new URLSearchParams({ limit: '100' })
    if (thread !== undefined) query.set('thread', String(thread))
    if (before !== undefined) query.set('before', String(before))
    return (await request('GET', `/chats/${chat}/messages?${query}`)) as History
  },

  text: (where: Where, text: string, reply?: { id: number; quote?: string | undefined }) =>
    post('/text', {
      ...place(where),
      text,
      ...(reply ? { reply_to: reply.id } : {}),
      ...(reply?.quote ? { quote: reply.quote } : {}),
    }),
  start: (from: number, payload = '') => post('/start', { from, payload }),
  edit: (from: number, chat: number, message_id: number, text: string) =>
    post('/edit', { from, chat, message_id, text }),
  remove: (chat: number, message_id: number) => post('/delete', { chat, message_id }),
  press: async (from: number, chat: number, message_id: number, data: string) => {
    const answer = (await post('/press', { from, chat, message_id, data })) as { callback_query_id: string }
    return answer.callback_query_id
  },
  react: (from: number, chat: number, message_id: number, emoji?: string) =>
    post('/react', { from, chat, message_id, ...(emoji ? { emoji } : {}) }),
  stopDraft: (from: number, draft_id: number) => post('/stop-draft', { from, draft_id }),
  read: (user: number, chat: number, thread: number, message_id: number) =>
    post('/read', { user, chat, thread, message_id }),
  forward: (where: Where, from_chat: number, message_id: number) =>
    post('/forward', { ...place(where), from_chat, message_id }),
  location: (where: Where, latitude: number, longitude: number) =>
    post('/location', { ...place(where), latitude, longitude }),
  contact: (where: Where, phone_number: string, first_name: string) =>
    post('/contact', { ...place(where), phone_number, first_name }),
  block: (person: number, blocked: boolean) => post('/block', { person, blocked }),
  addPerson: async (first_name: string) => ((await post('/people', { first_name })) as { id: number }).id,
  addGroup: async (title: string, members: readonly number[], forum: boolean) =>
    ((await post('/groups', { title, members, forum })) as { id: number }).id,
  addTopic: async (chat: number, from: number, name: string) =>
    ((await post('/topics', { chat, from, name })) as { thread: number }).thread,
  /** What the bot's owner switches on at BotFather: topics in private chats. */
  enablePrivateTopics: () => post('/bot', { has_topics_enabled: true }),
  newMediaGroup: async () => ((await post('/media-group', {})) as { media_group: string }).media_group,

  file: async (
    where: Where,
    file: File,
    options: {
      kind: 'photo' | 'document' | 'voice' | 'audio' | 'video'
      caption?: string | undefined
      mediaGroup?: string | undefined
      replyTo?: number | undefined
    },
  ) => {
    const query = new URLSearchParams(
      Object.entries(place(where)).map(([name, value]): [string, string] => [name, String(value)]),
    )
    query.set('kind', options.kind)
    query.set('name', file.name)
    if (file.type) query.set('type', file.type)
    if (options.caption) query.set('caption', options.caption)
    if (options.mediaGroup) query.set('media_group', options.mediaGroup)
    if (options.replyTo) query.set('reply_to', String(options.replyTo))
    const response = await fetch(`/sim/file?${query}`, { method: 'POST', body: file })
    const answer = (await response.json()) as { error?: string }
    if (!response.ok) throw new RefusedByServer(answer.error ?? String(response.status))
  },
}

export function fileUrl(fileId: string): string {
  return `/sim/files/${encodeURIComponent(fileId)}`
}
