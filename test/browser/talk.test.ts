/** What happens in chats, as somebody with a phone sees it: files, steps, tables, a group, topics. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Person } from '../story/person.ts'
import { type SetUp, setUpBaal } from '../story/set-up.ts'
import { ChatPage, openBrowser } from './browser.ts'

const PORT = 18_500
/** One pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let setUp: SetUp
let browser: Browser
let alice: ChatPage

beforeAll(async () => {
  ;[setUp, browser] = await Promise.all([setUpBaal(PORT), openBrowser()])
  const person = await Person.meet(setUp.baal.pageUrl)
  await person.createAgent('Rosa')
  alice = await ChatPage.open(browser, setUp.baal.pageUrl)
})
beforeEach(({ onTestFailed }) => {
  onTestFailed(async () => {
    await alice?.screenshot('failed-talk')
    console.error(
      `Alice saw:\n${(await alice?.lastMessages()) ?? 'no page'}\n${setUp?.output.slice(-30).join('\n') ?? ''}`,
    )
  })
})
afterAll(async () => {
  await browser?.close()
  await setUp?.close()
})

test('a file that is sent is read, and several at once are one question', async () => {
  const file = { name: 'shopping.txt', mimeType: 'text/plain', buffer: Buffer.from('bread\nmilk\n') }
  await alice.attach([file], 'run `cat uploads/*shopping.txt`')
  await alice.sees(/printed:[\s\S]*bread/)
  await alice.screenshot('20-file-in')
  const picture = (name: string) => ({ name, mimeType: 'image/png', buffer: PICTURE })
  await alice.attach([picture('a.png'), picture('b.png')], 'run `ls uploads | wc -l`')
  await alice.page
    .locator('pre')
    .filter({ hasText: /^3\s*$/ })
    .waitFor()
  await alice.screenshot('21-album-in')
})

test('tools show while they work, and their steps afterwards', async () => {
  await alice.say('run `sleep 2; echo slept`')
  const draft = alice.page.getByTestId('draft-text')
  await draft.filter({ hasText: 'bash · sleep 2' }).waitFor()
  await alice.screenshot('22-tool-at-work')
  await alice.sees(/printed:[\s\S]*slept/)
  await alice.press('Steps')
  await alice.sees(/✓ bash · sleep 2/)
  await alice.screenshot('23-steps')
})

test('a table is a real one for who has seen that it shows', async () => {
  await alice.say('a table please')
  await alice.sees('a command')
  await alice.screenshot('24-table-as-text')
  await alice.say('/rich')
  await alice.sees('boxes to tick')
  await alice.screenshot('25-rich-sample')
  await alice.press('Yes, where it helps')
  await alice.sees('/rich changes it')
  await alice.say('a table please')
  await alice.page.getByTestId('rich').getByText('a command').waitFor()
  await alice.screenshot('26-rich-table')
})

test('in a group the agent answers who mentions it, and nobody else', async () => {
  await alice.backToChats()
  await alice.make('New group', 'Family')
  await alice.sees(/Pick one of your agents/)
  await alice.say('/list@baal_local_bot')
  await alice.press(/Rosa/)
  await alice.sees('answers here now when someone mentions me')
  await alice.say('hello everybody')
  await alice.say('@baal_local_bot introduce yourself')
  await alice.sees(/remind you of things[\s\S]*Rex/)
  const answer = alice.message('remind you of things')
  await answer.getByTestId('reply').getByText('@baal_local_bot introduce').waitFor()
  expect(await alice.page.getByTestId('reply').filter({ hasText: 'hello everybody' }).count()).toBe(0)
  await alice.screenshot('27-group')
})

test('each topic is a conversation of its own, in a group and in the private chat', async () => {
  await alice.backToChats()
  await alice.make('New topic with the bot', 'Garden')
  expect(await alice.lastMessages()).toBe('')
  await alice.say('introduce yourself')
  await alice.sees(/remind you of things[\s\S]*Rex/)
  await alice.screenshot('28-private-topic')
  await alice.backToChats()
  await alice.make('New group with topics', 'Club')
  await alice.backToChats()
  await alice.make('New topic in Club', 'Trips')
  await alice.say('/list@baal_local_bot')
  await alice.press(/Rosa/)
  await alice.sees('answers here now')
  await alice.say('@baal_local_bot introduce yourself')
  await alice.sees(/remind you of things[\s\S]*Rex/)
  await alice.screenshot('29-topic')
  await alice.backToChats()
  await alice.screenshot('30-chats')
})

test('on a wide screen chats and messages stand side by side, and nothing on the page broke', async () => {
  const desk = await ChatPage.open(browser, setUp.baal.pageUrl, { width: 1180, height: 780 })
  await desk.openChat(/General/)
  await desk.page.getByTestId('rich').first().waitFor()
  await desk.screenshot('31-wide')
  expect([...alice.problems, ...desk.problems]).toEqual([])
})
