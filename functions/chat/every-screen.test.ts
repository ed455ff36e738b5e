/**
 * Walks through every screen in every language with the longest names and texts there can be. The chat window throws on
 * whatever Telegram would refuse: texts above 4096 characters, callback data above 64 bytes, entities out of bounds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saveAgentSettings } from '../database/agents.ts'
import { LANGUAGES, wordsFor } from './catalogue/catalogue.ts'
import { chatOf, type FakeChat } from './chat-window.fake.ts'
import { agentOf, type FakeWorld, giveAgent, startFakeWorld } from './handling.fake.ts'
import { registered } from './testing/registered.ts'

const LONG_NAME = `${'👩‍🚀'.repeat(21)}x`
/** What takes away what others stand on comes last. */
const LAST = ['delete', 'forget']
const COMMANDS = [...registered().commands.filter((command) => !LAST.includes(command)), 'fly', 'delete', 'forget me']

let world: FakeWorld
beforeAll(async () => {
  world = await startFakeWorld({ ADMIN_IDS: '1,2,3,4,5', MAX_AGENTS_PER_USER: '9' })
})
afterAll(() => world.close())

/** Presses every button under the newest message, each from the same screen, as deep as they lead. */
async function explore(chat: FakeChat, seen: Set<string>, depth: number): Promise<void> {
  const { id, keyboard } = chat.last
  for (const shown of keyboard.flat()) {
    // Ids differ from press to press; the kind of button is what counts.
    const kind = 'callback_data' in shown ? shown.callback_data.replace(/[a-z0-9]{6,}/g, '#') : ''
    if (!kind || kind.startsWith('lang:') || seen.has(kind) || depth === 0) continue
    seen.add(kind)
    await chat.receives(chat.pressed('callback_data' in shown ? shown.callback_data : '', id))
    await explore(chat, seen, depth - 1)
  }
}

describe.each(LANGUAGES.map((language, index) => ({ language, id: index + 1 })))('in $language', ({ language, id }) => {
  test('every command and every button leads to a screen that Telegram takes', async () => {
    const chat = chatOf(world, { id, name: '🐕'.repeat(64), language })
    const agentId = await giveAgent(world, id, { name: LONG_NAME, purpose: '字'.repeat(4096) })
    await giveAgent(world, id, { name: 'Max' })
    await saveAgentSettings(world.database, agentId, { prompt: '字'.repeat(8000) }, world.time)
    const { files } = agentOf(world, agentId)
    files.set('memory/MEMORY.md', '记'.repeat(9000))
    for (let count = 0; count < 40; count++) files.set(`${'f'.repeat(200)}${count}.txt`, 'x')
    const seen = new Set<string>()
    for (const command of COMMANDS) {
      await chat.receives(chat.pressed(`a:chat:${agentId}`))
      const before = chat.sent.length
      await chat.says(`/${command}`)
      expect([command, chat.sent.length > before || command === 'schedule']).toEqual([command, true])
      await explore(chat, seen, 6)
    }
    expect(seen.size).toBeGreaterThan(60)
  })

  test.each(['create', 'repair', 'update', 'destroy'] as const)('every report of a %s deployment', async (kind) => {
    const chat = chatOf(world, { id: id + 10, language })
    await chat.says('/help')
    const agentId = await giveAgent(world, id + 10, { name: LONG_NAME })
    const { steps, errors } = wordsFor(language).deploy
    const report = { agentId, kind }
    let seq = 0
    for (const step of Object.keys(steps))
      await chat.reports({ ...report, deploymentId: `${agentId}r`, seq: ++seq, step })
    for (const code of [...Object.keys(errors), 'unheard_of']) {
      const error = { code, message: 'm'.repeat(3000) }
      await chat.reports({ ...report, deploymentId: `${agentId}${code}`, status: 'failed', error })
    }
    for (const [ending, loss] of Object.entries({ copy: { copiedAt: 0 }, nothing: {} }))
      await chat.reports({ ...report, deploymentId: `${agentId}${ending}`, status: 'done', progress: 1, loss })
    await chat.reports({ ...report, deploymentId: `${agentId}d`, status: 'done', progress: 1 })
    expect(chat.messages.length).toBeGreaterThan(0)
  })
})
