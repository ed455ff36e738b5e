/** Drafts: private chats only, 30 seconds, gone with the next message. */
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import { MESSAGE_RULES } from '../../text/message-text.ts'
import type { World } from '../../world.ts'
import { requireChat, requireThread } from '../access.ts'
import { defineMethod } from '../method.ts'
import { type ChatRef, chatRef, entities, flag, integer, json } from '../parameters.ts'
import { parseRichMessage } from '../rich-message.ts'
import { checkTextNoting } from '../sending.ts'

const draftParameters = {
  chat_id: chatRef,
  message_thread_id: integer.optional(),
  draft_id: integer,
  can_stop: flag.optional(),
  keep_on_stop: flag.optional(),
}

export const draftMethods = [
  defineMethod({
    name: 'sendMessageDraft',
    params: z.strictObject({
      ...draftParameters,
      text: z.string().optional(),
      parse_mode: z.string().optional(),
      entities,
    }),
    weight: 1,
    run(params, context) {
      const target = requireTarget(context.world, params)
      const { text, entities: found } = checkTextNoting(context, { ...params, text: params.text ?? '' }, MESSAGE_RULES)
      context.world.drafts.show({ ...target, text, ...(found.length > 0 ? { entities: found } : {}) })
      return true
    },
  }),

  defineMethod({
    name: 'sendRichMessageDraft',
    params: z.strictObject({ ...draftParameters, rich_message: json(z.unknown()) }),
    weight: 1,
    run(params, { world }) {
      const target = requireTarget(world, params)
      world.drafts.show({
        ...target,
        text: '',
        rich_message: parseRichMessage(params.rich_message, { thinking: true }),
      })
      return true
    },
  }),
]

interface DraftRequest {
  readonly chat_id: ChatRef
  readonly message_thread_id?: number | undefined
  readonly draft_id: number
  readonly can_stop?: boolean | undefined
  readonly keep_on_stop?: boolean | undefined
}

function requireTarget(world: World, request: DraftRequest) {
  const chat_id = requireChat(world, request.chat_id, 'write')
  if (chat_id < 0) throw badRequest('TEXTDRAFT_PEER_INVALID')
  if (request.draft_id === 0) throw badRequest('RANDOM_ID_INVALID')
  return {
    chat_id,
    thread_id: requireThread(world, chat_id, request.message_thread_id),
    draft_id: request.draft_id,
    can_stop: request.can_stop ?? false,
    keep_on_stop: request.keep_on_stop ?? false,
  }
}
