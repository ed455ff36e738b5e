import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type SetUp, setUpBaal } from '../story/set-up.ts'
import { ChatPage, openBrowser } from './browser.ts'

const PORT = 18_400

let setUp: SetUp
let browser: Browser
let alice: ChatPage

beforeAll(async () => {
  ;[setUp, browser] = await Promise.all([setUpBaal(PORT), openBrowser()])
  alice = await ChatPage.open(browser, setUp.baal.pageUrl)
})
// A timeout alone says nothing about what the person saw instead.
beforeEach(({ onTestFailed }) => {
  onTestFailed(async () => {
    await alice?.screenshot('failed')
    console.error(
      `Alice saw:\n${(await alice?.lastMessages()) ?? 'no page'}\n${setUp?.output.slice(-30).join('\n') ?? ''}`,
    )
  })
})
afterAll(async () => {
  await browser?.close()
  await setUp?.close()
})

test('a newcomer presses Start and makes an agent, which introduces itself', async () => {
  await alice.screenshot('1-welcome')
  await alice.page.getByTestId('start').click()
  await alice.sees('I give you an AI agent')
  await alice.screenshot('2-start')
  await alice.press('Create an agent')
  await alice.sees('be called')
  await alice.say('Rosa')
  await alice.press('Skip')
  await alice.press(/Qwen/)
  await alice.sees('Ready to create')
  await alice.screenshot('3-confirm')
  await alice.press(/Create$/)
  await alice.sees(/Creating Rosa|Rosa is ready/)
  await alice.screenshot('4-progress')
  await alice.sees('I have a small computer of my own')
  await alice.screenshot('5-introduced')
})

test('its words stream in, with the tools it uses in sight', async () => {
  await alice.say('run `git --version`')
  await alice.sees('git version')
  await alice.press('Steps')
  await alice.say('write a long story')
  const draft = alice.page.getByTestId('draft-text')
  await draft.waitFor()
  const early = ((await draft.textContent()) ?? '').length
  await expect.poll(async () => ((await draft.textContent()) ?? '').length, { timeout: 30_000 }).toBeGreaterThan(early)
  await alice.screenshot('6-streaming')
  await alice.page.getByTestId('draft-stop').click()
  await alice.sees('Stopped')
  expect(await draft.count()).toBe(0)
  await alice.screenshot('7-stopped')
})

test('it writes a file and sends it, and remembers', async () => {
  await alice.say('write notes.txt with milk and bread, then send it to me')
  await alice.page.getByTestId('document').waitFor({ timeout: 60_000 })
  await alice.sees('Here is')
  await alice.say('remember that my dog is called Rex')
  await alice.sees('Noted')
  await alice.screenshot('8-file-and-memory')
})

test('after a restart the agent, its files, its memory and the conversation are still there', async () => {
  const { pageUrl } = await setUp.restart()
  await alice.page.goto(pageUrl)
  await alice.sees('Noted')
  await alice.say('what is my dog called?')
  await alice.sees('You told me')
  await alice.say('read notes.txt')
  await alice.sees('milk and bread')
  await alice.screenshot('9-after-restart')
})

test('a second person opens its link and talks to it', async () => {
  await alice.say('/share')
  await alice.press('New link')
  await alice.press('Create link')
  await alice.sees('start=')
  const link = /start=([\w-]{16,64})/.exec((await alice.message('start=').textContent()) ?? '')?.[0]
  expect(link).toBeDefined()
  await alice.screenshot('10-share')
  const bob = await ChatPage.open(browser, `${setUp.baal.pageUrl}/#user=1002&chat=1002`)
  await bob.page.getByTestId('start').click()
  await bob.say(`/start ${link?.slice('start='.length)}`)
  await bob.sees('Rosa')
  await bob.say('introduce yourself')
  await bob.sees('I have a small computer of my own')
  await bob.screenshot('11-visitor')
  expect(bob.problems).toEqual([])
})

test('everything else a person needs is a command away, and nothing on the page broke', async () => {
  const { pageUrl } = setUp.baal
  await alice.page.goto(`${pageUrl}/#user=1001&chat=1001`)
  await alice.page.reload()
  await alice.say('/list')
  await alice.sees('Your agents')
  await alice.screenshot('12-list')
  await alice.say('/manage')
  await alice.sees('You left Rosa')
  await alice.say('/help')
  await alice.sees('What I can do')
  await alice.say('/delete')
  await alice.press('Yes, delete')
  await alice.sees('is gone')
  await alice.screenshot('13-deleted')
  expect(alice.problems).toEqual([])
})
