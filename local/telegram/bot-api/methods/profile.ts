/** What people see of the bot: name, descriptions, commands, menu button; each per language, commands per scope too. */
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import type { World } from '../../world.ts'
import { findChatId } from '../access.ts'
import { defineMethod, type Method } from '../method.ts'
import { chatRef, integer, json } from '../parameters.ts'

const MAX_COMMANDS = 100

const Command = z.strictObject({ command: z.string(), description: z.string(), is_ephemeral: z.boolean().optional() })
export const Commands = z.array(Command)

const Scope = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('default') }),
  z.strictObject({ type: z.literal('all_private_chats') }),
  z.strictObject({ type: z.literal('all_group_chats') }),
  z.strictObject({ type: z.literal('all_chat_administrators') }),
  z.strictObject({ type: z.literal('chat'), chat_id: chatRef }),
  z.strictObject({ type: z.literal('chat_administrators'), chat_id: chatRef }),
  z.strictObject({ type: z.literal('chat_member'), chat_id: chatRef, user_id: z.int() }),
])
type Scope = z.infer<typeof Scope>

const language_code = z
  .string()
  .regex(/^([a-z]{2})?$/, { error: 'invalid language code specified' })
  .optional()
const commandPlace = { scope: json(Scope).optional(), language_code }

const MenuButton = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('commands') }),
  z.strictObject({ type: z.literal('default') }),
  z.strictObject({ type: z.literal('web_app'), text: z.string().min(1), web_app: z.strictObject({ url: z.url() }) }),
])

export const profileMethods: readonly Method[] = [
  ...textMethods('Name', 'name', 64),
  ...textMethods('Description', 'description', 512),
  ...textMethods('ShortDescription', 'short_description', 120),

  defineMethod({
    name: 'setMyCommands',
    params: z.strictObject({ ...commandPlace, commands: json(Commands) }),
    run(params, { world }) {
      if (params.commands.length > MAX_COMMANDS) throw badRequest('BOT_COMMANDS_TOO_MUCH')
      for (const { command, description } of params.commands) {
        if (!/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID')
        if (description.length < 1 || description.length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
      }
      const commands = params.commands.map((given) => ({ ...given, command: given.command.replace(/^\//, '') }))
      world.settings.put(commandKey(world, params.scope, params.language_code), commands)
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  defineMethod({
    name: 'getMyCommands',
    params: z.strictObject(commandPlace),
    run: (params, { world }) =>
      world.settings.get(commandKey(world, params.scope, params.language_code), Commands) ?? [],
  }),

  defineMethod({
    name: 'deleteMyCommands',
    params: z.strictObject(commandPlace),
    run(params, { world }) {
      world.settings.remove(commandKey(world, params.scope, params.language_code))
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  defineMethod({
    name: 'setChatMenuButton',
    params: z.strictObject({ chat_id: integer.optional(), menu_button: json(MenuButton).optional() }),
    run(params, { world }) {
      world.settings.put(`menu:${params.chat_id ?? ''}`, params.menu_button ?? { type: 'default' })
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  defineMethod({
    name: 'getChatMenuButton',
    params: z.strictObject({ chat_id: integer.optional() }),
    run: (params, { world }) => menuButton(world, params.chat_id),
  }),
]

function textMethods(suffix: string, field: 'name' | 'description' | 'short_description', maxLength: number): Method[] {
  return [
    defineMethod({
      name: `setMy${suffix}`,
      params: z.strictObject({ [field]: z.string().optional(), language_code }),
      run(params, { world }) {
        const text = z.string().default('').parse(params[field])
        if ([...text].length > maxLength) throw badRequest(`${field} is too long`)
        world.settings.put(`${field}:${z.string().default('').parse(params.language_code)}`, text)
        world.events.emit({ type: 'state' })
        return true
      },
    }),
    defineMethod({
      name: `getMy${suffix}`,
      params: z.strictObject({ language_code }),
      run: (params, { world }) => ({ [field]: profileText(world, field, params.language_code) }),
    }),
  ]
}

/** In the person's language, else in the default one. */
export function profileText(
  world: World,
  field: 'name' | 'description' | 'short_description',
  language: string | undefined,
): string {
  const own = language ? world.settings.get(`${field}:${language}`, z.string()) : undefined
  return own || (world.settings.get(`${field}:`, z.string()) ?? '')
}

function menuButton(world: World, chatId: number | undefined): z.infer<typeof MenuButton> {
  const own = chatId === undefined ? undefined : world.settings.get(`menu:${chatId}`, MenuButton)
  if (own && own.type !== 'default') return own
  return world.settings.get('menu:', MenuButton) ?? { type: 'commands' }
}

function commandKey(world: World, scope: Scope | undefined, language: string | undefined): string {
  const place = scope ?? { type: 'default' }
  const chatId = 'chat_id' in place ? findChatId(world, place.chat_id) : undefined
  if ('chat_id' in place && (chatId === undefined || !world.people.chat(chatId))) throw badRequest('chat not found')
  const userId = 'user_id' in place ? place.user_id : ''
  return `commands:${place.type}:${chatId ?? ''}:${userId}:${language ?? ''}`
}

/** Telegram's order: the narrowest scope that has commands, in the person's language before the default. */
export function commandsFor(
  world: World,
  chat: { readonly id: number; readonly type: string },
  user: { readonly id: number; readonly language_code?: string | undefined },
): z.infer<typeof Commands> {
  const isPrivate = chat.type === 'private'
  const scopes: Scope[] = [
    ...(isPrivate ? [] : [{ type: 'chat_member' as const, chat_id: chat.id, user_id: user.id }]),
    { type: 'chat', chat_id: chat.id },
    { type: isPrivate ? 'all_private_chats' : 'all_group_chats' },
    { type: 'default' },
  ]
  for (const scope of scopes) {
    for (const language of user.language_code ? [user.language_code, ''] : ['']) {
      const commands = world.settings.get(commandKey(world, scope, language), Commands)
      if (commands && commands.length > 0) return commands
    }
  }
  return []
}
