import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTelegram } from '../../local/telegram/start-telegram.ts'
import { Person } from './person.ts'
import { type SetUp, setUpBaal } from './set-up.ts'

const STORY_PORT = 18_100
const SEPARATE_PORT = 18_200
const SEPARATE_TOKEN = '7000000009:separately-started-stand-in-token'

let setUp: SetUp
let alice: Person

beforeAll(async () => {
  setUp = await setUpBaal(STORY_PORT, { MODEL_TOKEN_DELAY_MS: '6' })
  alice = await Person.meet(setUp.baal.pageUrl)
  await alice.createAgent('Rosa')
})
afterAll(() => setUp?.close())

describe('an agent of one’s own', () => {
  test('runs commands, writes files and sends them', async () => {
    await alice.ask('run `git --version`', 'git version')
    await alice.say('write notes.txt with milk and bread, then send it to me')
    expect((await alice.receives('notes.txt')).document).toBeDefined()
  })

  test('remembers across a restart of everything, with its conversation and files', async () => {
    await alice.ask('remember that my dog is called Rex', 'Noted')
    await setUp.restart()
    await alice.ask('what is my dog called?', 'Rex')
    await alice.ask('list my files', 'notes.txt')
  })

  test('says the whole answer exactly once when the Worker is killed in the middle of it', async () => {
    await alice.say('write a long story')
    await alice.seesDraft(400)
    const worker = setUp.baal.pids()['the Worker'] ?? 0
    process.kill(-worker, 'SIGKILL')
    await alice.hears('The end.')
    const texts = (await alice.botTexts()).join('\n')
    expect(texts.match(/The end\./g)).toHaveLength(1)
    expect(texts.match(/A long story/g)).toHaveLength(1)
    expect(texts.match(/^Chapter \d+$/gm)).toEqual(Array.from({ length: 12 }, (_, index) => `Chapter ${index + 1}`))
  })

  test('stops when it is told to', async () => {
    await alice.say('write an essay')
    await alice.seesDraft(100)
    await alice.ask('/stop', 'Stopped')
    const { drafts } = await alice.read()
    expect(drafts).toEqual([])
  })

  test('is shared by a link: the visitor talks to it and sees nothing of its owner', async () => {
    await alice.say('/share')
    await alice.press('New link')
    await alice.press('Create link')
    const link = /start=([\w-]{16,64})/.exec(await alice.hears(/start=[\w-]{16,64}/))?.[1]
    const bob = await Person.meet(setUp.baal.pageUrl, 1)
    await bob.start(link)
    await bob.hears('Rosa')
    // By default a link gives no files, so the model is offered no tool to read the owner's with.
    await bob.ask('what is my dog called?', "I don't have it here")
    expect((await bob.botTexts()).join()).not.toContain('Rex')
  })

  test('leaves no secret and nothing that was said in what any part prints', async () => {
    await alice.ask('run `echo planted-in-a-tool`', 'planted-in-a-tool')
    await alice.ask('remember that the word is planted-in-memory', 'Noted')
    await alice.say('/login sk-planted-key-of-the-owner-0123')
    await alice.hears(/key/i)
    const printed = await printedBy(setUp)
    expect(printed).toContain('"event"')
    for (const planted of [...(await secretsOf(setUp.dataDir)), 'planted-in', 'sk-planted', 'Rex', 'Chapter 1'])
      expect(printed.includes(planted), planted.slice(0, 12)).toBe(false)
  })

  test('is listed, left and deleted, and its machine goes with it', async () => {
    await alice.ask('/list', 'Rosa')
    await alice.say('/manage')
    await alice.ask('/help', '/create')
    await alice.say('/delete')
    await alice.press('Yes, delete')
    await alice.hears('is gone')
  })
})

test('everything works with a Telegram stand-in that was started apart and is given by its address', async () => {
  const telegram = await startTelegram({ port: 0, token: SEPARATE_TOKEN })
  const apart = await setUpBaal(SEPARATE_PORT, {
    TELEGRAM_BOT_TOKEN: SEPARATE_TOKEN,
    TELEGRAM_API_ROOT: telegram.url,
    PUBLIC_URL: `http://127.0.0.1:${SEPARATE_PORT}`,
  })
  try {
    expect(apart.baal.standIns.telegram).toBe(false)
    const person = await Person.meet(telegram.url)
    await person.createAgent('Vega')
    await person.ask('run `echo from apart`', 'from apart')
  } finally {
    await apart.close()
    await telegram.close()
  }
})

/** Everything that came out of a process, to the terminal or into a log of its own. */
async function printedBy({ output, dataDir }: SetUp): Promise<string> {
  const logs = (await readdir(dataDir, { recursive: true })).filter((name) => /\.log(\.\d+)?$/.test(name))
  const texts = await Promise.all(logs.map((name) => readFile(join(dataDir, name), 'utf8').catch(() => '')))
  return [...output, ...texts].join('\n')
}

/** The keys that were made for this Baal, and those of its agents on their machines. */
async function secretsOf(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir, { recursive: true })
  const files = names.filter((name) => name === 'keys.json' || name.endsWith('secrets.json'))
  const texts = await Promise.all(files.map((name) => readFile(join(dataDir, name), 'utf8')))
  const values = texts.flatMap((text) => Object.entries(JSON.parse(text) as Record<string, string>))
  expect(values.map(([name]) => name)).toContain('AGENT_SECRET')
  return values.flatMap(([name, value]) => {
    if (name === 'ALEPH_SSH_PUBKEY') return []
    if (name === 'WORKER_SIGNING_KEY') return [String(JSON.parse(value).d)]
    // A bot's number is no secret; a key file's lines are looked for one by one.
    if (name === 'TELEGRAM_BOT_TOKEN') return [value.split(':')[1] ?? value]
    return value.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'))
  })
}
