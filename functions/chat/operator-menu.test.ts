import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandsFor } from './bot-profile.ts'
import { LANGUAGES } from './catalogue/catalogue.ts'
import { chatOf, type FakeChat, groupOf } from './chat-window.fake.ts'
import { type FakeWorld, startFakeWorld, telegramUser } from './handling.fake.ts'
import { registered } from './testing/registered.ts'

const ADMIN = 1
let world: FakeWorld
beforeAll(async () => {
  world = await startFakeWorld({ ADMIN_IDS: String(ADMIN) })
})
afterAll(() => world.close())

function menusOf(chat: FakeChat): string[][] {
  return chat.sent.flatMap((sent) =>
    sent.kind === 'offer_commands'
      ? [sent.commands.map(({ command, description }) => `${command}: ${description}`)]
      : [],
  )
}

test('an operator’s own chat offers their commands, in the language they chose, and is told so once', async () => {
  const chat = chatOf(world, { id: ADMIN, name: 'Op' })
  await chat.says('/start')
  await chat.says('/help')
  expect(menusOf(chat)).toHaveLength(1)
  expect(menusOf(chat)[0]).toEqual(expect.arrayContaining(['dashboard: People, agents, machines', 'list: Your agents']))
  await chat.says('/language fr')
  await chat.says('/help')
  expect(menusOf(chat)).toHaveLength(2)
  expect(menusOf(chat)[1]).not.toContain('list: Your agents')
})

test('who is no operator any more gets back what everybody has', async () => {
  const chat = chatOf(world, { id: ADMIN, name: 'Op' })
  await chat.says('/start')
  const ids = world.config.ADMIN_IDS
  Object.assign(world.config, { ADMIN_IDS: [] })
  try {
    await chat.says('/help')
    await chat.says('/help')
  } finally {
    Object.assign(world.config, { ADMIN_IDS: ids })
  }
  expect(menusOf(chat)).toHaveLength(2)
  expect(menusOf(chat)[1]).toEqual([])
})

test('nobody else gets it, nor a group or a topic in which an operator writes', async () => {
  const other = chatOf(world, { id: 77, name: 'Ana' })
  await other.says('/start')
  const group = groupOf(world, -100)
  await group.says('/help@baal_bot', { from: telegramUser({ id: ADMIN, name: 'Op' }) })
  const topic = chatOf(world, { id: ADMIN, topic: 5 })
  await topic.says('/help')
  expect([other, group, topic].flatMap(menusOf)).toEqual([])
})

test.each(LANGUAGES)('every menu names commands that exist, in %s', (language) => {
  const { commands } = registered()
  for (const menu of ['all_private_chats', 'all_group_chats', 'operator'] as const) {
    expect(commandsFor(menu, language).filter(({ command }) => !commands.includes(command))).toEqual([])
  }
})
