import type { Update } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { ChatEngine } from './chat-engine.ts'
import { ChatFacts } from './chat-facts.ts'
import { parseChatName } from './chat-name.ts'
import { openStore } from './chat-store.ts'
import { ALBUM_SPAN_MS } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { plainText } from './text/formatted-text.ts'

describe('a group that became a supergroup', () => {
  test('is handed over although the other object did not answer at first', async () => {
    const group = start()
    group.isDown = true
    await group.engine.enqueue(migration(1))
    expect(group.adopted).toEqual([])
    // Whatever else happens, or does not: somebody comes back for it.
    expect(group.wakes).toBeGreaterThan(0)
    expect(group.engine.hasWork()).toBe(true)
    expect(await group.engine.run()).toBeLessThanOrEqual(Date.now() + 60_000)
    group.isDown = false
    expect(await group.engine.run()).toBeUndefined()
    expect(group.adopted).toEqual([{ agent: '"rex"' }])
    expect(group.engine.hasWork()).toBe(false)
  })
})

describe('after a death in the middle of sending', () => {
  test('previews wait: nobody knows how many calls there were just before', () => {
    expect(start().engine.takeCall('frame')).toBe(0)
    const storage = fakeChatDatabase()
    new Outbox(storage).add('a', { kind: 'send', text: plainText('still to be sent') }, 0)
    const { engine } = start(storage)
    expect(engine.takeCall('frame')).toBeGreaterThan(0)
    expect(engine.takeCall('message')).toBe(0)
  })
})

describe('a picture of an album that nobody asked us about', () => {
  test('is kept while its album may still ask, and gone with the next message after that', async () => {
    const storage = fakeChatDatabase()
    const { engine } = start(storage)
    const kept = () => storage.query('SELECT update_id FROM inbox').map(({ update_id }) => update_id)
    expect(await engine.enqueue(said(1, { media_group_id: 'album', caption: 'private' }))).toBe('ignored')
    await engine.enqueue(said(2, { text: 'hello all' }))
    expect(kept()).toEqual([1])
    storage.query('UPDATE inbox SET received_at = received_at - ?', ALBUM_SPAN_MS + 1)
    await engine.enqueue(said(3, { text: 'hello again' }))
    expect(kept()).toEqual([])
  })
})

function said(updateId: number, content: object): Update {
  const chat = { id: -55, type: 'group', title: 'Group' }
  const from = { id: 42, is_bot: false, first_name: 'Ann' }
  return { update_id: updateId, message: { message_id: updateId, date: 1, chat, from, ...content } } as Update
}

function migration(updateId: number): Update {
  const chat = { id: -55, type: 'group', title: 'Group' }
  return {
    update_id: updateId,
    message: { message_id: 9, date: 1, chat, migrate_to_chat_id: -1_005_000_000_055 },
  } as Update
}

function start(storage = fakeChatDatabase()) {
  const identity = parseChatName('7:-55')
  const store = openStore(storage)
  store.put('agent', 'rex')
  store.flush()
  new ChatFacts(identity, storage).save({ bot: { info: { id: 7, username: 'baal_bot' }, at: Date.now() } })
  const group = { adopted: [] as object[], isDown: false, wakes: 0, engine: undefined as unknown as ChatEngine }
  const other = {
    adopt: async (values: object) => {
      if (group.isDown) throw new Error('Network connection lost.')
      group.adopted.push(values)
    },
  }
  const env = {
    PUBLIC_URL: 'https://baal.example.org',
    TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
    TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
    TELEGRAM_WEBHOOK_SECRET: 'a-secret-of-enough-length',
    LIBERTAI_API_KEY: 'key',
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA baal',
    LIBSQL_URL: 'http://127.0.0.1:1',
    BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
    WORKER_SIGNING_KEY: '{}',
    CHAT: { getByName: () => other },
  } as unknown as Bindings
  group.engine = new ChatEngine({
    identity,
    storage,
    config: parseConfig(env),
    env,
    handlers: {
      classifyUpdate: () => 'ignore',
      describeDeployment: async () => ({ outgoing: [] }),
      handleUpdate: async () => ({ outgoing: [] }),
    },
    handoverMs: 60_000,
    wake: async () => {
      group.wakes += 1
    },
    background: (work) => void work.catch(() => undefined),
  })
  return group
}
