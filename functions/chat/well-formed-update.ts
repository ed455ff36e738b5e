/**
 * The parts of an update that anything of ours relies on. Telegram keeps to them; what does not is not from Telegram, and is
 * ignored before a handler could stumble over it. What is not named here may be anything: kinds of next year pass.
 */
import { z } from 'zod'

const Person = z.looseObject({
  id: z.int(),
  is_bot: z.boolean(),
  first_name: z.string(),
  last_name: z.string().optional(),
  language_code: z.string().optional(),
})
const Chat = z.looseObject({ id: z.int(), type: z.string(), title: z.string().optional() })
const Entity = z.looseObject({
  type: z.string(),
  offset: z.int().nonnegative(),
  length: z.int().nonnegative(),
  url: z.string().optional(),
  language: z.string().optional(),
  user: Person.optional(),
})
const entities = z.array(Entity).optional()
const File = z.looseObject({
  file_id: z.string(),
  file_size: z.number().optional(),
  file_name: z.string().optional(),
  mime_type: z.string().optional(),
})
const Text = z.looseObject({ text: z.string() })
const Place = z.looseObject({ latitude: z.number(), longitude: z.number() })

const cargo = {
  photo: z.array(z.looseObject({ file_id: z.string(), width: z.number(), height: z.number() })).optional(),
  live_photo: File.optional(),
  animation: File.optional(),
  document: File.optional(),
  voice: File.extend({ duration: z.number() }).optional(),
  audio: File.optional(),
  video: File.optional(),
  video_note: File.optional(),
  sticker: File.extend({ emoji: z.string().optional() }).optional(),
  location: Place.optional(),
  venue: z.looseObject({ title: z.string(), address: z.string() }).optional(),
  contact: z.looseObject({ first_name: z.string(), phone_number: z.string() }).optional(),
  poll: z.looseObject({ question: z.string(), options: z.array(Text) }).optional(),
  checklist: z.looseObject({ title: z.string(), tasks: z.array(Text) }).optional(),
  dice: z.looseObject({ emoji: z.string(), value: z.number() }).optional(),
}
const KnownOrigin = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('user'), sender_user: Person }),
  z.looseObject({ type: z.literal('hidden_user'), sender_user_name: z.string() }),
  z.looseObject({ type: z.literal('chat'), sender_chat: Chat }),
  z.looseObject({ type: z.literal('channel'), chat: Chat }),
])
const ORIGINS: ReadonlySet<string> = new Set(['user', 'hidden_user', 'chat', 'channel'])
const NewOrigin = z.looseObject({ type: z.string().refine((type) => !ORIGINS.has(type)) })
const Origin = z.union([KnownOrigin, NewOrigin])
const fields = {
  message_id: z.int(),
  date: z.int(),
  chat: Chat,
  from: Person.optional(),
  text: z.string().optional(),
  entities,
  caption: z.string().optional(),
  caption_entities: entities,
  media_group_id: z.string().optional(),
  message_thread_id: z.int().optional(),
  forward_origin: Origin.optional(),
  ...cargo,
}
const Message = z.looseObject({
  ...fields,
  reply_to_message: z.looseObject(fields).optional(),
  external_reply: z.looseObject({ origin: Origin, ...cargo }).optional(),
  quote: z.looseObject({ text: z.string(), entities }).optional(),
})
const Standing = z.looseObject({ status: z.string() })

const WellFormed = z.looseObject({
  update_id: z.int().nonnegative(),
  message: Message.optional(),
  edited_message: Message.optional(),
  callback_query: z
    .looseObject({
      id: z.string(),
      from: Person,
      data: z.string().optional(),
      message: z.looseObject({ message_id: z.int(), chat: Chat }).optional(),
    })
    .optional(),
  my_chat_member: z
    .looseObject({ chat: Chat, from: Person, old_chat_member: Standing, new_chat_member: Standing })
    .optional(),
  stopped_message_generation: z.looseObject({ chat: Chat, draft_id: z.int() }).optional(),
})

/** @returns what is wrong with it, if anything: a path, never what stands there */
export function findMalformed(update: unknown): string | undefined {
  const issue = WellFormed.safeParse(update).error?.issues[0]
  return issue && `${issue.path.join('.')}: ${issue.code}`
}
