import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Api, InputFile } from 'grammy'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB, startTelegram } from './start-telegram.ts'
import { startTestBot, type TestBot, TOKEN } from './test-bot.ts'

let dataDir: string
const open: TestBot[] = []
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'telegram-test-'))
})
afterEach(async () => {
  for (const bot of open.splice(0)) await bot.close()
  await rm(dataDir, { recursive: true })
})

async function start(): Promise<TestBot> {
  const bot = await startTestBot({ dataDir })
  open.push(bot)
  return bot
}

async function restart(bot: TestBot): Promise<TestBot> {
  open.splice(open.indexOf(bot), 1)
  await bot.close()
  return start()
}

describe('a restart', () => {
  test('shows the same people, chats, messages and files', async () => {
    const before = await start()
    before.sim.start(ALICE, 'abc')
    const sent = await before.api.sendDocument(ALICE, new InputFile(Buffer.from('kept'), 'a.txt'))
    await before.api.setMyCommands([{ command: 'help', description: 'Help' }])
    before.sim.addGroup({ title: 'New one', members: [ALICE, BOB] })
    const messages = before.sim.messages(ALICE)
    const after = await restart(before)
    expect(after.sim.messages(ALICE)).toEqual(messages)
    expect((await after.sim.readFile(sent.document.file_id)).toString()).toBe('kept')
    expect(await after.api.getMyCommands()).toHaveLength(1)
    expect(after.sim.world.people.rooms().map(({ title }) => title)).toContain('New one')
    expect((await after.api.sendMessage(ALICE, 'next')).message_id).toBeGreaterThan(sent.message_id)
  })

  test('goes on delivering to the webhook, with ids that go on', async () => {
    const before = await start()
    before.onUpdate = ({ reply }) => reply(500)
    await before.api.setWebhook(before.webhookUrl, { secret_token: 'secret' })
    before.sim.start(ALICE)
    const failed = await before.nth(0)
    const after = await restart(before)
    expect(after.sim.pendingUpdates()).toEqual([failed.update])
    await after.api.setWebhook(after.webhookUrl, { secret_token: 'secret' })
    after.sim.sendText({ from: ALICE }, 'later')
    expect((await after.nth(0)).update).toEqual(failed.update)
    expect((await after.nth(1)).update.update_id).toBe(failed.update.update_id + 1)
  })
})

describe('the program', () => {
  const run = async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, '--port', '0', '--data', dataDir, '--token', TOKEN],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    return {
      child,
      api: new Api(TOKEN, { apiRoot: (JSON.parse(line) as { ready: string }).ready }),
      url: JSON.parse(line).ready as string,
    }
  }

  test('says where it is, and loses nothing to kill -9', async () => {
    const first = await run()
    await fetch(`${first.url}/sim/start`, { method: 'POST', body: JSON.stringify({ from: ALICE, payload: 'p-1' }) })
    const { message_id } = await first.api.sendMessage(ALICE, 'kept')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const telegram = await startTelegram({ port: 0, token: TOKEN, dataDir })
    expect(telegram.sim.message(ALICE, message_id).text).toBe('kept')
    expect(telegram.sim.pendingUpdates()).toMatchObject([{ message: { text: '/start p-1' } }])
    await telegram.close()
  })

  test('refuses to start without a token, and ends on SIGTERM', async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const refused = spawn(process.execPath, [main, '--token', 'none'], { stdio: 'ignore' })
    expect((await once(refused, 'exit'))[0]).toBe(2)
    const { child } = await run()
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })
})
