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
  all_private_chats: ['create', 'list', 'manage', 'stop', 'again', 'steps', 'new', 'share', 'account', 'help'],
  /** The operator's own chat with the bot: no list of the everyday is shorter for what comes with it. */
  operator: [
    'create', 'list', 'manage', 'stop', 'again', 'steps', 'new', 'share', 'account', 'help', 'dashboard', 'pool',
  ], // biome-ignore format: one menu, one glance
  all_group_chats: ['stop', 'again', 'steps', 'list', 'manage', 'help'],
} as const satisfies Partial<Record<BotCommandScope['type'] | 'operator', readonly (keyof Catalogue['menu'])[]>>

/** Each update takes a durable write and nothing else: many may be under way. */
const MAX_CONNECTIONS = 100

export interface BotRegistration {
  readonly api: Api
  /** Where Telegram reaches us, e.g. `https://baal.example.com`. */
  readonly publicUrl: string
  /** `/telegram/<bot id>` */
  readonly botPath: string
  readonly secret: string
}

/** Menus, texts and webhook. Safe to repeat: every call sets a state. */
export async function registerBot(registration: BotRegistration): Promise<void> {
  await applyBotProfile(registration.api)
  await setWebhook(registration)
}

export async function setWebhook({ api, secret, ...address }: BotRegistration): Promise<void> {
  await api.setWebhook(webhookUrl(address), {
    secret_token: secret,
    allowed_updates: [...ALLOWED_UPDATES],
    max_connections: MAX_CONNECTIONS,
  })
}

/** Whether Telegram sends what we want to where we want it. The secret it keeps to itself. */
export async function isWebhookAsWanted({ api, ...address }: Omit<BotRegistration, 'secret'>): Promise<boolean> {
  const { url, max_connections, allowed_updates = [] } = await api.getWebhookInfo()
  const sameUpdates = allowed_updates.toSorted().join() === ALLOWED_UPDATES.toSorted().join()
  return url === webhookUrl(address) && max_connections === MAX_CONNECTIONS && sameUpdates
}

function webhookUrl({ publicUrl, botPath }: Pick<BotRegistration, 'publicUrl' | 'botPath'>): string {
  return `${publicUrl.replace(/\/$/, '')}${botPath}`
}

export async function applyBotProfile(api: Api): Promise<void> {
  for (const setting of profileSettings(api)) await setting.set()
}

/** @returns what Telegram shows otherwise than it should */
export async function findProfileDifferences(api: Api): Promise<ProfileSetting[]> {
  const differing: ProfileSetting[] = []
  for (const setting of profileSettings(api)) if (!(await setting.isSet())) differing.push(setting)
  return differing
}

export interface ProfileSetting {
  readonly what: 'menus' | 'texts'
  isSet(): Promise<boolean>
  set(): Promise<unknown>
}

/** English for everybody, then each language for those whose Telegram speaks it. */
function profileSettings(api: Api): ProfileSetting[] {
  return LANGUAGES.flatMap((language) => {
    const { shortDescription, description } = wordsFor(language).profile
    const tag = languageTag(language)
    return [
      ...(['all_private_chats', 'all_group_chats'] as const).map((type) => menuSetting(api, type, language)),
      {
        what: 'texts' as const,
        isSet: async () => (await api.getMyShortDescription(tag)).short_description === shortDescription,
        set: () => api.setMyShortDescription(shortDescription, tag),
      },
      {
        what: 'texts' as const,
        isSet: async () => (await api.getMyDescription(tag)).description === description,
        set: () => api.setMyDescription(description, tag),
      },
    ]
  })
}

function menuSetting(api: Api, type: 'all_private_chats' | 'all_group_chats', language: Language): ProfileSetting {
  const commands = commandsFor(type, language)
  const place = { scope: { type }, ...languageTag(language) }
  const inOrder = (list: readonly BotCommand[]) => list.map(({ command, description }) => `${command}: ${description}`)
  return {
    what: 'menus',
    isSet: async () => inOrder(await api.getMyCommands(place)).join('\n') === inOrder(commands).join('\n'),
    set: () => api.setMyCommands(commands, place),
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
