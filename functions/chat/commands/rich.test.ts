import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatOf, groupOf } from '../chat-window.fake.ts'
import { type FakeWorld, giveAgent, startFakeWorld, telegramUser } from '../handling.fake.ts'

let world: FakeWorld
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

describe('/rich', () => {
  test('shows a table, and what the person saw of it decides about answers', async () => {
    const chat = chatOf(world, { id: 91_001 })
    const agentId = await giveAgent(world, 91_001)
    await chat.receives(chat.pressed(`a:chat:${agentId}`))
    expect((await chat.says('hi')).turn).not.toHaveProperty('rich')
    const { outgoing } = await chat.says('/rich')
    expect(outgoing).toMatchObject([
      { kind: 'send', text: { text: expect.stringContaining('table') }, rich: { blocks: expect.anything() } },
    ])
    expect(JSON.stringify(outgoing)).toContain('"type":"table"')
    await chat.presses(/where it helps/)
    expect(chat.last.text).toContain('where they show more')
    expect((await chat.says('hi')).turn).toMatchObject({ rich: 'auto' })
    await chat.says('/rich always')
    expect((await chat.says('hi')).turn).toMatchObject({ rich: 'always' })
    await chat.says('/rich never')
    expect((await chat.says('hi')).turn).not.toHaveProperty('rich')
  })

  test('is reached from the account', async () => {
    const chat = chatOf(world, { id: 91_002 })
    await chat.says('/account')
    await chat.presses(/Rich answers/)
    expect(chat.last.text).toContain('table')
  })

  test('is not used in a group, where others read with apps nobody knows', async () => {
    const chat = chatOf(world, { id: 91_003 })
    await chat.says('/rich always')
    const agentId = await giveAgent(world, 91_003)
    const group = groupOf(world, -91_003)
    const from = telegramUser({ id: 91_003, name: 'Ana' })
    await group.receives(group.pressed(`a:chat:${agentId}`, 1, from))
    const { turn } = await group.says('@baal_bot hi', { from })
    expect(turn).toBeDefined()
    expect(turn).not.toHaveProperty('rich')
  })
})
