/** The people's side over HTTP: for the page, and for tests that run in another process. JSON in, JSON out. */
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { ApiError } from '../api-error.ts'
import { Fault } from '../bot-api/faults.ts'
import { saveTo } from '../bot-api/request-body.ts'
import { FILE_KINDS } from '../state/files.ts'
import type { Sender, Sim } from './sim.ts'
import { SimError } from './sim-error.ts'
import { viewState } from './view.ts'

const KEEP_ALIVE_MS = 15_000

const id = z.coerce.number().int()
const optionalId = id.optional()
const Place = z.object({
  from: id,
  chat: optionalId,
  thread: optionalId,
  reply_to: optionalId,
  quote: z.string().optional(),
})

const senderOf = ({ from, chat, thread, reply_to, quote }: z.infer<typeof Place>): Sender => ({
  from,
  chat,
  thread,
  replyTo: reply_to,
  quote,
})

export function simRoutes(sim: Sim): Hono {
  const app = new Hono()
  app.onError((error, context) => {
    if (error instanceof SimError) return context.json({ error: error.message }, 400)
    if (error instanceof z.ZodError) return context.json({ error: z.prettifyError(error) }, 400)
    if (error instanceof ApiError) return context.json({ error: error.message }, 400)
    console.error(error)
    return context.json({ error: 'internal error' }, 500)
  })
  addViews(app, sim)
  addActions(app, sim)
  addFiles(app, sim)
  addWorld(app, sim)
  addControl(app, sim)
  return app
}

function addViews(app: Hono, sim: Sim): void {
  app.get('/state', (context) => context.json(viewState(sim.world, optionalId.parse(context.req.query('user')))))

  app.get('/chats/:chat/messages', (context) => {
    const query = z.object({ thread: optionalId, before: optionalId, limit: optionalId }).parse(context.req.query())
    const chatId = id.parse(context.req.param('chat'))
    const messages = sim.world.messages.list({
      chatId,
      limit: query.limit ?? 100,
      ...(query.thread === undefined ? {} : { threadId: query.thread }),
      ...(query.before === undefined ? {} : { beforeId: query.before }),
    })
    const reactions = messages.flatMap(({ message_id }) => {
      const given = sim.world.messages.reactions(chatId, message_id)
      return given.length > 0 ? [{ message_id, reactions: given }] : []
    })
    return context.json({ messages, reactions, drafts: sim.drafts(chatId) })
  })

  app.get('/events', (context) =>
    streamSSE(context, async (stream) => {
      let waiting: Promise<unknown> = stream.writeSSE({ event: 'ready', data: '{}' })
      const stop = sim.on((event) => {
        waiting = waiting.then(() => stream.writeSSE({ data: JSON.stringify(event) }))
      })
      stream.onAbort(stop)
      while (!stream.aborted) {
        await stream.sleep(KEEP_ALIVE_MS)
        waiting = waiting.then(() => stream.writeSSE({ event: 'keepalive', data: '{}' }))
      }
    }),
  )

  app.post('/wait', async (context) => {
    const body = z
      .object({
        chat: id,
        contains: z.string().optional(),
        matches: z.string().optional(),
        thread: optionalId,
        after_id: optionalId,
        timeout_ms: z.int().positive().max(120_000).optional(),
      })
      .parse(await context.req.json())
    const match = body.matches === undefined ? (body.contains ?? '') : new RegExp(body.matches)
    const message = await sim.waitForBot(body.chat, match, {
      ...(body.thread === undefined ? {} : { thread: body.thread }),
      ...(body.after_id === undefined ? {} : { afterId: body.after_id }),
      ...(body.timeout_ms === undefined ? {} : { timeoutMs: body.timeout_ms }),
    })
    return context.json(message)
  })
}

function addActions(app: Hono, sim: Sim): void {
  app.post('/text', async (context) => {
    const body = Place.extend({ text: z.string() }).parse(await context.req.json())
    return context.json(sim.sendText(senderOf(body), body.text))
  })
  app.post('/start', async (context) => {
    const body = z.object({ from: id, payload: z.string().default('') }).parse(await context.req.json())
    return context.json(sim.start(body.from, body.payload))
  })
  app.post('/edit', async (context) => {
    const body = z
      .object({ from: id, chat: id, message_id: id, text: z.string().min(1) })
      .parse(await context.req.json())
    return context.json(sim.editText(body.from, body.chat, body.message_id, body.text))
  })
  app.post('/delete', async (context) => {
    const body = z.object({ chat: id, message_id: id }).parse(await context.req.json())
    sim.deleteMessage(body.chat, body.message_id)
    return context.json({ ok: true })
  })
  app.post('/press', async (context) => {
    const body = z
      .object({ from: id, chat: id, message_id: id, text: z.string().optional(), data: z.string().optional() })
      .parse(await context.req.json())
    const button = body.data === undefined ? { text: body.text ?? '' } : { data: body.data }
    return context.json({ callback_query_id: sim.press(body.from, body.chat, body.message_id, button) })
  })
  app.post('/react', async (context) => {
    const body = z
      .object({ from: id, chat: id, message_id: id, emoji: z.string().optional() })
      .parse(await context.req.json())
    sim.react(body.from, body.chat, body.message_id, body.emoji)
    return context.json({ ok: true })
  })
  app.post('/stop-draft', async (context) => {
    const body = z.object({ from: id, draft_id: id }).parse(await context.req.json())
    return context.json({ stopped: sim.stopDraft(body.from, body.draft_id) })
  })
  app.post('/forward', async (context) => {
    const body = Place.extend({ from_chat: id, message_id: id }).parse(await context.req.json())
    return context.json(sim.forward(senderOf(body), body.from_chat, body.message_id))
  })
  app.post('/location', async (context) => {
    const body = Place.extend({ latitude: z.number(), longitude: z.number() }).parse(await context.req.json())
    return context.json(sim.sendLocation(senderOf(body), body.latitude, body.longitude))
  })
  app.post('/contact', async (context) => {
    const body = Place.extend({ phone_number: z.string(), first_name: z.string() }).parse(await context.req.json())
    return context.json(sim.sendContact(senderOf(body), body))
  })
  app.post('/read', async (context) => {
    const body = z.object({ user: id, chat: id, thread: id, message_id: id }).parse(await context.req.json())
    sim.world.messages.markRead(body.user, body.chat, body.thread, body.message_id)
    return context.json({ ok: true })
  })
}

/** What a browser may show by itself; all else is only downloaded, since people and bots choose what is in a file. */
const SHOWN = /^(image\/(png|jpeg|gif|webp)|audio\/[\w.+-]+|video\/[\w.+-]+)$/

function addFiles(app: Hono, sim: Sim): void {
  app.post('/file', async (context) => {
    const query = Place.extend({
      kind: z.enum(FILE_KINDS),
      name: z.string().optional(),
      type: z.string().optional(),
      caption: z.string().optional(),
      media_group: z.string().optional(),
      duration: z.coerce.number().int().optional(),
    }).parse(context.req.query())
    const path = sim.world.files.temporaryPath()
    await saveTo(path, context.req.raw.body ?? Readable.from([]))
    const { kind, name, type, caption, duration } = query
    const file = { kind, name, mimeType: type, caption, duration, mediaGroup: query.media_group }
    return context.json(await sim.sendFile(senderOf(query), { path }, file))
  })

  app.post('/media-group', (context) => context.json({ media_group: sim.newMediaGroup() }))

  app.get('/files/:id', (context) => {
    const file = sim.file(context.req.param('id'))
    const name = encodeURIComponent(file.name ?? file.path.split('/').at(-1) ?? 'file')
    return context.body(Readable.toWeb(sim.streamFile(file.file_id)) as ReadableStream, 200, {
      'content-type': SHOWN.test(file.mime_type) ? file.mime_type : 'application/octet-stream',
      'content-length': String(file.size),
      'content-disposition': `${SHOWN.test(file.mime_type) ? 'inline' : 'attachment'}; filename*=UTF-8''${name}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, max-age=31536000, immutable',
    })
  })
}

function addWorld(app: Hono, sim: Sim): void {
  app.post('/people', async (context) => {
    const body = z
      .object({
        first_name: z.string().min(1),
        last_name: z.string().optional(),
        username: z.string().optional(),
        language_code: z.string().optional(),
      })
      .parse(await context.req.json())
    return context.json(
      sim.addPerson({
        first_name: body.first_name,
        ...(body.last_name ? { last_name: body.last_name } : {}),
        ...(body.username ? { username: body.username } : {}),
        ...(body.language_code ? { language_code: body.language_code } : {}),
      }),
    )
  })
  app.post('/groups', async (context) => {
    const body = z
      .object({
        title: z.string().min(1),
        members: z.array(id).min(1),
        forum: z.boolean().default(false),
        topics: z.array(z.string()).default([]),
        bot: z.enum(['member', 'administrator', 'left']).default('member'),
      })
      .parse(await context.req.json())
    return context.json(sim.addGroup(body))
  })
  app.post('/topics', async (context) => {
    const body = z.object({ chat: id, from: id, name: z.string().min(1) }).parse(await context.req.json())
    return context.json({ thread: sim.addTopic(body.chat, body.from, body.name) })
  })
  app.post('/bot-standing', async (context) => {
    const standing = z.enum(['member', 'administrator', 'left', 'kicked'])
    const body = z.object({ chat: id, by: id, standing }).parse(await context.req.json())
    sim.setBotStanding(body.chat, body.standing, body.by)
    return context.json({ ok: true })
  })
  app.post('/migrate', async (context) => {
    const body = z.object({ chat: id }).parse(await context.req.json())
    return context.json({ chat: sim.migrate(body.chat) })
  })
  app.post('/block', async (context) => {
    const body = z.object({ person: id, blocked: z.boolean().default(true) }).parse(await context.req.json())
    sim.block(body.person, body.blocked)
    return context.json({ ok: true })
  })
  app.post('/bot', async (context) => {
    const body = z
      .object({
        username: z.string().optional(),
        can_read_all_group_messages: z.boolean().optional(),
        has_topics_enabled: z.boolean().optional(),
      })
      .parse(await context.req.json())
    sim.setBot(JSON.parse(JSON.stringify(body)))
    return context.json({ ok: true })
  })
}

function addControl(app: Hono, sim: Sim): void {
  app.get('/calls', (context) => {
    const query = z
      .object({ method: z.string().optional(), chat: optionalId, since: optionalId })
      .parse(context.req.query())
    const calls = sim.calls({
      ...(query.method === undefined ? {} : { method: query.method }),
      ...(query.chat === undefined ? {} : { chat: query.chat }),
    })
    return context.json(calls.filter(({ at }) => at >= (query.since ?? 0)))
  })
  app.delete('/calls', (context) => {
    sim.world.calls.clear()
    return context.json({ ok: true })
  })
  app.get('/deliveries', (context) => context.json(sim.deliveries()))
  app.get('/updates', (context) => context.json(sim.pendingUpdates()))
  app.post('/updates', async (context) => {
    const body = z.object({ chat: id, update: z.record(z.string(), z.unknown()) }).parse(await context.req.json())
    return context.json({ update_id: sim.sendRawUpdate(body.chat, body.update) })
  })
  app.post('/faults', async (context) => {
    sim.fault(Fault.parse(await context.req.json()))
    return context.json({ ok: true })
  })
  app.delete('/faults', (context) => {
    sim.clearFaults()
    return context.json({ ok: true })
  })
  app.post('/limits', async (context) => {
    const { mode } = z.object({ mode: z.enum(['off', 'real']) }).parse(await context.req.json())
    sim.setLimits(mode)
    return context.json({ ok: true })
  })
}
