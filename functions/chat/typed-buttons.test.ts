/**
 * Everything a button can do, a command can do too: of two people who are alike in everything, one presses and the other types,
 * and both end with the same words. A kind of button that is new and not here fails.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatOf, type FakeChat, type Outcome } from './chat-window.fake.ts'
import { agentOf, type FakeWorld, giveAgent, startFakeWorld } from './handling.fake.ts'
import { registered, standsForCommand } from './testing/registered.ts'

interface Twin {
  readonly chat: FakeChat
  readonly agentId: string
  /** Knocked at the door of the agent. */
  readonly visitor: FakeChat
  readonly linkId: string
  /** The file that was sent, and the message that was edited. */
  readonly messageId: number
}

interface Pair {
  /** Labels, or whole data, pressed one after another. */
  readonly press: readonly (string | ((twin: Twin) => string))[]
  readonly type: readonly string[]
  readonly first?: (twin: Twin) => Promise<unknown>
}

const press = (...labels: string[]): Pick<Pair, 'press'> => ({ press: labels })
const data = (of: (twin: Twin) => string): Pick<Pair, 'press'> => ({ press: [of] })
const says = (text: string) => (twin: Twin) => twin.chat.says(text)
const member = (verb: string) => data(({ agentId, visitor }) => `m:${verb}:${agentId}:${visitor.identity.chatId}`)
const file = { file_id: 'F', file_unique_id: 'U', file_name: 'rex.agent.tar.gz', file_size: 10 }
const sendsFile = ({ chat }: Twin) => chat.sends({ document: file })

/** By kind; what only opens another screen is told by that screen. */
const PAIRS: Readonly<Record<string, Pair>> = {
  'x:': {
    ...press('📚 Teach me a language'),
    first: ({ visitor }) => visitor.says('/start'),
    type: [
      '/create Teacher',
      'Teach me a language with short daily lessons, talk with me in it, and correct me kindly.',
    ],
  },
  'w1:': { ...press('Skip', 'GLM 4.7', '‹ Back', 'Cancel'), first: says('/create Max'), type: ['/skip', 'GLM 4.7', '/back', '/cancel'] },
  'a:card:': { ...press('Rex'), first: says('/list'), type: ['/list Rex'] },
  'a:chat:': { ...data(({ agentId }) => `a:chat:${agentId}`), type: ['/chat Rex'] },
  'a:hello:': { ...data(({ agentId }) => `a:hello:${agentId}`), type: ['Who are you, and what can you do for me?'] },
  'a:leave:': { ...data(({ agentId }) => `a:leave:${agentId}`), type: ['/leave Rex', '/list'] },
  'a:name:': { ...press('Name'), first: says('/soul'), type: ['/soul name'] },
  'a:prompt:': { ...press('Personality'), first: says('/soul'), type: ['/soul personality'] },
  'a:newlink:': { ...press('➕ New link', 'Create link'), first: says('/share'), type: ['/share new'] },
  'a:people:': { ...press('👥 People'), first: says('/share'), type: ['/share people'] },
  'a:remember:': { ...press('✏️ Rewrite'), first: says('/memory'), type: ['/memory edit'] },
  'a:forget:': { ...press('🧽 Forget everything'), first: says('/memory'), type: ['/memory forget'] },
  'a:forget!:': { ...press('Yes, forget'), first: says('/memory forget'), type: ['/memory forget yes'] },
  'a:delete!:': { ...press('Yes, delete it'), first: says('/delete'), type: ['/delete yes'] },
  'a:import:': { ...press('📥 Into Rex'), first: sendsFile, type: ['/import Rex'] },
  'i:file:': { ...press('📄 No, it is just a file'), first: sendsFile, type: ['/import no'] },
  'model:': { ...press('Qwen3 Coder'), first: says('/model'), type: ['/model qwen3-coder-next'] },
  'verbose:on': { ...data(() => 'verbose:on'), type: ['/verbose on'] },
  'verbose:off': { ...data(() => 'verbose:off'), type: ['/verbose off'] },
  'rich:auto': { ...data(() => 'rich:auto'), type: ['/rich auto'] },
  'rich:always': { ...data(() => 'rich:always'), type: ['/rich always'] },
  'rich:never': { ...data(() => 'rich:never'), type: ['/rich never'] },
  'tz:': { ...press('London'), first: says('/timezone'), type: ['/timezone Europe/London'] },
  'lang:': { ...press('Français'), first: says('/language'), type: ['/language fr'] },
  'f:': { ...press('📁 notes', '⬆ Up'), first: says('/files'), type: ['/files notes', '/files'] },
  'f:no': { ...press('Cancel'), first: says('/forget me'), type: ['/forget me no'] },
  'f:yes': { ...press('Yes, forget'), first: says('/forget me'), type: ['/forget me yes'] },
  's:': { ...press('🗑 Cancel 3'), first: says('/schedule'), type: ['/schedule cancel 3'] },
  'l:show:': { ...press('🔗 Link 1'), first: says('/share'), type: ['/share show 1'] },
  'l:pause:': { ...data(({ linkId }) => `l:pause:${linkId}`), type: ['/share pause 1'] },
  'l:resume:': { ...data(({ linkId }) => `l:resume:${linkId}`), first: says('/share pause 1'), type: ['/share resume 1'] },
  'l:revoke:': { ...data(({ linkId }) => `l:revoke:${linkId}`), type: ['/share close 1'] },
  'm:admit:': { ...member('admit'), type: ['/share admit Vic'] },
  'm:refuse:': { ...member('refuse'), type: ['/share refuse Vic'] },
  'm:block:': { ...member('block'), first: says('/share admit Vic'), type: ['/share block Vic'] },
  'm:unblock:': { ...member('unblock'), first: says('/share block Vic'), type: ['/share unblock Vic'] },
  'again:': { ...press('🔁 Run again'), first: ({ chat, messageId }) => chat.edits(messageId, 'what is 2+3?'), type: ['/again'] },
  'retry:': { ...data(() => 'retry:t1'), type: ['/again'] },
  'steps:': { ...data(() => 'steps:t1'), type: ['/steps'] },
  'stop:': { ...data(() => 'stop:t1'), first: runs, type: ['/stop'] },
} // biome-ignore format: one line, one pair

/** Done below delivery, and told apart: `outbox-sender.test.ts` presses it, `/resend` is typed here. */
const OF_DELIVERY = ['resend:']

async function runs({ chat, agentId }: Twin): Promise<void> {
  chat.running = { agentId, turnId: 't1' }
}

const all = registered()
let world: FakeWorld
let people = 40_000
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

async function twin(kind = ''): Promise<Twin> {
  const id = ++people
  const chat = chatOf(world, { id, name: 'Ana' })
  const agentId = await giveAgent(world, id)
  const agent = agentOf(world, agentId)
  agent.files.set('notes/plan.txt', 'x')
  agent.files.set('memory/MEMORY.md', 'a cat')
  agent.planned.push({ id: 3, prompt: 'stretch', when: 'tomorrow' })
  await chat.receives(chat.pressed(`a:chat:${agentId}`))
  const visitor = chatOf(world, { id: ++people, name: 'Vic' })
  const linkId = /^[lm]:/.test(kind) ? await shareWith(visitor, chat) : ''
  chat.formerTurn = { agentId, user: { id, name: 'Ana', role: 'owner' }, message: 'hello' }
  chat.steps = [
    { type: 'tool_use', id: '1', name: 'bash', input: { command: 'date' } },
    { type: 'tool_result', id: '1', name: 'bash', ok: true, summary: 'now' },
  ]
  return { chat, agentId, visitor, linkId, messageId: 42 }
}

/** Someone waits at a door that asks. @returns the id of its link */
async function shareWith(visitor: FakeChat, chat: FakeChat): Promise<string> {
  await chat.says('/share new ask')
  await visitor.says(`/start ${/start=([\w-]+)/.exec(chat.last.text)?.[1]}`)
  await chat.says('/share')
  const shown = chat.last.keyboard.flat().find(({ text }) => text === '🔗 Link 1')
  return shown && 'callback_data' in shown ? (shown.callback_data.split(':')[2] ?? '') : ''
}

/** What a person has before them in the end, without what differs from one person to the next. */
function seen({ chat, agentId }: Twin, { turn }: Outcome): unknown {
  return {
    screen: (chat.messages.at(-1)?.text ?? '').replace(/start=[\w-]+/, 'start=…'),
    turn: turn && { message: turn.message, own: turn.agentId === agentId },
    files: [...agentOf(world, agentId).files],
  }
}

test('every kind of button has its words, and none is told of that is no more', () => {
  const kinds = all.buttons.filter((kind) => !standsForCommand(kind, all) || kind in PAIRS)
  expect([...Object.keys(PAIRS), ...OF_DELIVERY].toSorted()).toEqual(kinds.toSorted())
})

describe('typed, as pressed', () => {
  test.each(Object.entries(PAIRS))('%s', async (kind, pair) => {
    const outcomes = await Promise.all(
      [pressAll, typeAll].map(async (act) => {
        const each = await twin(kind)
        await pair.first?.(each)
        const acting = kind === 'x:' ? { ...each, chat: each.visitor } : each
        return seen(each === acting ? each : { ...acting, agentId: each.agentId }, await act(acting, pair))
      }),
    )
    expect(outcomes[1]).toEqual(outcomes[0])
  })

  test('/resend says so when nothing got lost', async () => {
    const { chat } = await twin()
    await chat.says('/resend')
    expect(chat.last.text).toContain('nothing to send again')
  })

  test('/steps and /again say so when there is nothing', async () => {
    const { chat } = await twin()
    chat.steps = []
    chat.formerTurn = undefined
    await chat.says('/steps')
    expect(chat.last.text).toContain('no tools')
    await chat.says('/again')
    expect(chat.last.text).toContain('no question')
  })

  test('/again does not ask the agent what it is answering just now', async () => {
    const each = await twin()
    await runs(each)
    expect((await each.chat.says('/again')).turn).toBeUndefined()
    expect(each.chat.last.text).toContain('/stop')
  })
})

async function pressAll(twin: Twin, pair: Pair): Promise<Outcome> {
  let outcome: Outcome | undefined
  for (const button of pair.press) {
    outcome =
      typeof button === 'string'
        ? await twin.chat.presses(button)
        : await twin.chat.receives(twin.chat.pressed(button(twin)))
  }
  return outcome ?? expect.fail('nothing was pressed')
}

async function typeAll({ chat }: Twin, pair: Pair): Promise<Outcome> {
  let outcome: Outcome | undefined
  for (const text of pair.type) outcome = await chat.says(text)
  return outcome ?? expect.fail('nothing was typed')
}
