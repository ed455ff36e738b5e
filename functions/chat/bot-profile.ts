/** What Telegram shows of the bot before anybody has written to it: command menus, texts; and where updates go. */
import type { Api } from 'grammy'
import type { BotCommand, BotCommandScope, Update } from 'grammy/types'
import { LANGUAGES, type Language, wordsFor } from './catalogue/catalogue.ts'
import type { Catalogue } from './catalogue/english.ts'

/** Everything that has a handler. What is not named here is not sent by Telegram. */
export const ALLOWED_UPDATES = [
  'message',
  'edited_message',
  'callback_query',
  'my_chat_member',
  'stopped_message_generation',
] as const satisfies readonly Exclude<keyof Update, 'update_id'>[]

/** Short menus: what is needed every day. /help has the rest. */
const MENUS = {
  all_private_chats: ['create', 'list', 'manage', 'stop', 'new', 'status', 'share', 'account', 'help'],
  all_group_chats: ['stop', 'list', 'manage', 'help'],
} as const satisfies Partial<Record<BotCommandScope['type'], readonly (keyof Catalogue['menu'])[]>>

export interface BotRegistration {
  readonly api: Api
  /** Where Telegram reaches us, e.g. `https://baal.example.com`. */
  readonly publicUrl: string
  /** `/telegram/<bot id>` */
  readonly botPath: string
  readonly secret: string
}

/** Menus, texts and webhook. Safe to repeat: every call sets a state. */
export async function registerBot({ api, publicUrl, botPath, secret }: BotRegistration): Promise<void> {
  await applyBotProfile(api)
  await api.setWebhook(`${publicUrl.replace(/\/$/, '')}${botPath}`, {
    secret_token: secret,
    allowed_updates: [...ALLOWED_UPDATES],
    // Each update takes a durable write and nothing else: many may be under way.
    max_connections: 100,
  })
}

/** English for everybody, then each language for those whose Telegram speaks it. */
export async function applyBotProfile(api: Api): Promise<void> {
  for (const language of LANGUAGES) {
    const words = wordsFor(language)
    const tag = languageTag(language)
    for (const scope of ['all_private_chats', 'all_group_chats'] as const) {
      await api.setMyCommands(commandsFor(scope, language), { scope: { type: scope }, ...tag })
    }
    await api.setMyShortDescription(words.profile.shortDescription, tag)
    await api.setMyDescription(words.profile.description, tag)
  }
}

export function commandsFor(scope: keyof typeof MENUS, language: Language): BotCommand[] {
  const { menu } = wordsFor(language)
  return MENUS[scope].map((command) => ({ command, description: menu[command] }))
}

type TelegramLanguage = NonNullable<NonNullable<Parameters<Api['setMyDescription']>[1]>['language_code']>

/** Without a tag a text is for everybody who has none of their own. */
function languageTag(language: Language): { language_code?: TelegramLanguage } {
  return language === 'en' ? {} : { language_code: language }
}
