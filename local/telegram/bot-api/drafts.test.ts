import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, type ManualClock } from '../manual-clock.ts'
import { ALICE } from '../start-telegram.ts'
import { refusal, startWithAlice, type TestBot } from '../test-bot.ts'

let clock: ManualClock
let bot: TestBot
beforeEach(async () => {
  clock = createManualClock()
  bot = await startWithAlice({ clock })
})
afterEach(() => bot.close())

const group = () => bot.sim.world.people.rooms()[0]?.id ?? 0

describe('a draft', () => {
  test('is shown for 30 seconds after its last frame', async () => {
    await bot.api.sendMessageDraft(ALICE, 7, 'Hel')
    await clock.advance(20_000)
    await bot.api.sendMessageDraft(ALICE, 7, 'Hello *there*', { parse_mode: 'MarkdownV2' })
    await clock.advance(29_999)
    expect(bot.sim.drafts(ALICE)).toMatchObject([
      { draft_id: 7, text: 'Hello there', frames: 2, entities: [{ type: 'bold' }] },
    ])
    await clock.advance(1)
    expect(bot.sim.drafts(ALICE)).toEqual([])
  })

  test('may be empty: the bot is thinking', async () => {
    await bot.api.sendMessageDraft(ALICE, 7, '')
    expect(bot.sim.drafts(ALICE)).toMatchObject([{ text: '' }])
  })

  test('goes with any message in its chat, and no other', async () => {
    await bot.api.sendMessageDraft(ALICE, 7, 'x')
    bot.sim.sendText({ from: ALICE, chat: group() }, 'elsewhere')
    expect(bot.sim.drafts(ALICE)).toHaveLength(1)
    await bot.api.sendMessage(ALICE, 'final')
    expect(bot.sim.drafts(ALICE)).toEqual([])
    await bot.api.sendMessageDraft(ALICE, 8, 'x')
    bot.sim.sendText({ from: ALICE }, 'wait')
    expect(bot.sim.drafts(ALICE)).toEqual([])
  })

  test('is for private chats only, with an id other than 0', async () => {
    expect(await refusal(bot.api.sendMessageDraft(group(), 7, 'x'))).toBe('Bad Request: TEXTDRAFT_PEER_INVALID')
    expect(await refusal(bot.api.sendMessageDraft(ALICE, 0, 'x'))).toBe('Bad Request: RANDOM_ID_INVALID')
    expect(await refusal(bot.api.sendMessageDraft(ALICE, 7, 'x'.repeat(4097)))).toBe('Bad Request: message is too long')
  })

  test('stays in its topic where private chats have topics', async () => {
    bot.sim.setBot({ has_topics_enabled: true })
    const { message_thread_id } = await bot.api.createForumTopic(ALICE, 'Trip')
    await bot.api.sendMessageDraft(ALICE, 7, 'x', { message_thread_id })
    await bot.api.sendMessage(ALICE, 'in General')
    expect(bot.sim.drafts(ALICE)).toMatchObject([{ thread_id: message_thread_id }])
    await bot.api.sendMessage(ALICE, 'there', { message_thread_id })
    expect(bot.sim.drafts(ALICE)).toEqual([])
  })

  test('can be stopped when the bot allows it, and the bot is told', async () => {
    await bot.api.setWebhook(bot.webhookUrl)
    await bot.nth(0)
    await bot.api.sendMessageDraft(ALICE, 7, 'x')
    expect(bot.sim.stopDraft(ALICE, 7)).toBe(false)
    await bot.api.sendMessageDraft(ALICE, 7, 'x', { can_stop: true } as never)
    expect(bot.sim.stopDraft(ALICE, 7)).toBe(true)
    expect(bot.sim.drafts(ALICE)).toEqual([])
    const { update } = await bot.nth(1)
    expect(update.stopped_message_generation).toMatchObject({ chat: { id: ALICE }, draft_id: 7 })
  })

  test('shows no later frames once stopped', async () => {
    await bot.api.sendMessageDraft(ALICE, 7, 'x', { can_stop: true } as never)
    bot.sim.stopDraft(ALICE, 7)
    await bot.api.sendMessageDraft(ALICE, 7, 'xy', { can_stop: true } as never)
    expect(bot.sim.drafts(ALICE)).toEqual([])
  })

  test('stays for its time after Stop when the bot wants it kept', async () => {
    await bot.api.sendMessageDraft(ALICE, 7, 'x', { can_stop: true, keep_on_stop: true } as never)
    bot.sim.stopDraft(ALICE, 7)
    expect(bot.sim.drafts(ALICE)).toMatchObject([{ text: 'x', stopped: true }])
    expect(bot.sim.stopDraft(ALICE, 7)).toBe(false)
    await clock.advance(30_000)
    expect(bot.sim.drafts(ALICE)).toEqual([])
  })
})

describe('a rich message', () => {
  const paragraph = { type: 'paragraph' as const, text: ['a ', { type: 'bold' as const, text: 'b' }] }

  test('is blocks that are checked in shape', async () => {
    const sent = await bot.api.sendRichMessage(ALICE, { blocks: [paragraph] })
    expect(sent.rich_message.blocks).toEqual([paragraph])
    const wrong = { blocks: [{ type: 'heading', text: 'x', size: 9 }] } as never
    expect(await refusal(bot.api.sendRichMessage(ALICE, wrong))).toMatch(
      /^Bad Request: can't parse rich_message: blocks.0.size/,
    )
    expect(await refusal(bot.api.sendRichMessage(ALICE, { blocks: [] }))).toBe('Bad Request: RICH_MESSAGE_EMPTY')
    expect(await refusal(bot.api.sendRichMessage(ALICE, { markdown: '# x' }))).toMatch(/send blocks/)
    const long = { blocks: [{ type: 'paragraph' as const, text: 'x'.repeat(32_769) }] }
    expect(await refusal(bot.api.sendRichMessage(ALICE, long))).toBe('Bad Request: RICH_MESSAGE_TOO_LONG')
  })

  test('thinks only in drafts', async () => {
    const thinking = { blocks: [{ type: 'thinking' as const, text: 'hm' }] }
    await bot.api.sendRichMessageDraft(ALICE, 7, thinking)
    expect(bot.sim.drafts(ALICE)).toMatchObject([{ rich_message: { blocks: [{ type: 'thinking' }] } }])
    expect(await refusal(bot.api.sendRichMessage(ALICE, thinking))).toBe('Bad Request: RICH_MESSAGE_THINKING_INVALID')
  })

  test('can take the place of a text', async () => {
    const { message_id } = await bot.api.sendMessage(ALICE, 'x')
    await bot.api.editMessageText(ALICE, message_id, { blocks: [paragraph] } as never)
    expect(bot.sim.message(ALICE, message_id)).not.toHaveProperty('text')
  })
})
