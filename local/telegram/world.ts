/** All that this Telegram knows, opened once and handed to the Bot API and to the people's side. */
import type { DatabaseSync } from 'node:sqlite'
import type { User, UserFromGetMe } from 'grammy/types'
import { z } from 'zod'
import { CallLog } from './bot-api/call-log.ts'
import { Faults } from './bot-api/faults.ts'
import { FloodControl } from './bot-api/limits.ts'
import type { Clock } from './clock.ts'
import { Polling } from './delivery/polling.ts'
import { type Delivery, type RetryDelay, WebhookDelivery } from './delivery/webhook.ts'
import { Callbacks } from './state/callbacks.ts'
import { openDatabase } from './state/database.ts'
import { Drafts } from './state/drafts.ts'
import { createEvents, type Events } from './state/events.ts'
import { Files } from './state/files.ts'
import { Messages } from './state/messages.ts'
import { People } from './state/people.ts'
import { createSettings, type Settings } from './state/settings.ts'
import { Updates } from './state/updates.ts'
import { plainEntities } from './text/plain-entities.ts'
import { loadTdlib, type Tdlib } from './text/tdlib.ts'

export interface WorldOptions {
  readonly token: string
  readonly dataDir?: string | undefined
  readonly clock: Clock
  readonly limits: 'off' | 'real'
  readonly retryDelayMs: RetryDelay
  readonly onWebhookReply: (body: Record<string, unknown>) => void
}

export interface World {
  readonly token: string
  readonly clock: Clock
  readonly database: DatabaseSync
  readonly settings: Settings
  readonly people: People
  readonly messages: Messages
  readonly files: Files
  readonly drafts: Drafts
  readonly callbacks: Callbacks
  readonly updates: Updates
  readonly events: Events
  readonly tdlib: Tdlib
  /** Why texts are checked by rules of thumb here instead of by TDLib. */
  readonly tdlibUnavailable: string | undefined
  readonly webhook: WebhookDelivery
  readonly deliveries: Delivery[]
  readonly polling: Polling
  readonly flood: FloodControl
  readonly faults: Faults
  readonly calls: CallLog
  close(): void
}

const MAX_DELIVERIES = 20_000

export function openWorld(options: WorldOptions): World {
  const { clock, dataDir } = options
  const database = openDatabase(dataDir)
  const settings = createSettings(database)
  const events = createEvents()
  const updates = new Updates(database, settings, clock)
  const files = new Files(database, settings, dataDir)
  const drafts = new Drafts(clock, events)
  const tdlib = loadTdlib()
  const deliveries: Delivery[] = []
  const webhook = new WebhookDelivery({
    updates,
    settings,
    clock,
    retryDelayMs: options.retryDelayMs,
    onReply: options.onWebhookReply,
    onDelivery(delivery) {
      deliveries.push(delivery)
      if (deliveries.length > MAX_DELIVERIES) deliveries.splice(0, MAX_DELIVERIES / 2)
    },
  })
  return {
    token: options.token,
    clock,
    database,
    settings,
    people: new People(database),
    messages: new Messages(database, settings),
    files,
    drafts,
    callbacks: new Callbacks(database, clock),
    updates,
    events,
    tdlib: 'unavailable' in tdlib ? plainEntities : tdlib,
    tdlibUnavailable: 'unavailable' in tdlib ? tdlib.unavailable : undefined,
    webhook,
    deliveries,
    polling: new Polling(updates, clock),
    flood: new FloodControl(clock, options.limits),
    faults: new Faults(clock),
    calls: new CallLog(),
    close() {
      webhook.close()
      drafts.close()
      database.close()
      files.close()
    },
  }
}

/** What only the people's side may switch. */
export const BotTraits = z.object({
  username: z.string().default('baal_local_bot'),
  can_read_all_group_messages: z.boolean().default(false),
  has_topics_enabled: z.boolean().default(false),
})
export type BotTraits = z.infer<typeof BotTraits>

export function botTraits(world: World): BotTraits {
  return world.settings.get('bot', BotTraits) ?? BotTraits.parse({})
}

export function botId({ token }: { token: string }): number {
  return Number(token.split(':')[0])
}

export function botUser(world: World): User {
  return {
    id: botId(world),
    is_bot: true,
    first_name: world.settings.get('name:', z.string()) || 'Baal',
    username: botTraits(world).username,
  }
}

export function getMe(world: World): UserFromGetMe {
  const traits = botTraits(world)
  return {
    ...botUser(world),
    is_bot: true,
    username: traits.username,
    can_join_groups: true,
    can_read_all_group_messages: traits.can_read_all_group_messages,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: traits.has_topics_enabled,
    allows_users_to_create_topics: traits.has_topics_enabled,
    can_manage_bots: false,
    supports_join_request_queries: false,
  }
}

export function unixTime(world: { clock: Clock }): number {
  return Math.floor(world.clock.now() / 1000)
}
