import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeploymentReport } from './deployment-report.ts'
import { BOT_ID, type DeliveryHarness, newcomer, startDelivery } from './testing/delivery-harness.ts'
import { TEST_AGENT_ID } from './testing/simple-handlers.ts'

let world: DeliveryHarness

beforeAll(async () => {
  world = await startDelivery((turn) => turn.say('Hello.'))
})
afterAll(() => world?.close())

const bytes = (text: string) => new TextEncoder().encode(text)

describe('files of a person', () => {
  test('are in the workspace before the agent reads the message', async () => {
    const { person, sim } = newcomer(world)
    await sim.sendFile({ from: person }, bytes('a,b\n1,2'), {
      kind: 'document',
      name: 'table.csv',
      caption: 'sum it up',
    })
    await sim.waitForBot(person, 'Hello.')
    const request = world.agent.requests.at(-1)
    expect(request?.message).toBe('sum it up')
    const [attachment] = request?.attachments ?? []
    expect(attachment?.name).toBe('table.csv')
    expect(new TextDecoder().decode(world.agent.files.get(attachment?.path ?? ''))).toBe('a,b\n1,2')
  })

  test('come along with the message they are asked about in', async () => {
    const { person, sim } = newcomer(world)
    const file = await sim.sendFile({ from: person }, bytes('x'), { kind: 'voice', duration: 3 })
    await sim.waitForBot(person, 'Hello.')
    sim.sendText({ from: person, replyTo: file.message_id }, 'what did I say?')
    await sim.waitFor(() => world.agent.requests.at(-1)?.message.includes('what did I say?'))
    const request = world.agent.requests.at(-1)
    expect(request?.message).toContain('[in reply to the message of Ann with a voice]')
    expect(request?.attachments?.length).toBe(1)
  })

  test('above 20 MB are told to the person and to the agent', async () => {
    const { person, sim } = newcomer(world)
    await sim.sendFile({ from: person }, new Uint8Array(20 * 1024 * 1024 + 1), { kind: 'document', name: 'big.iso' })
    await sim.waitForBot(person, 'big.iso is larger than 20 MB')
    await sim.waitForBot(person, 'Hello.')
    expect(world.agent.requests.at(-1)?.message).toContain('larger than 20 MB')
  })

  test('never show the agent where Telegram keeps them', async () => {
    const said = JSON.stringify(world.agent.requests)
    expect(said).not.toContain('/file/bot')
    expect(said).not.toContain(String(BOT_ID).concat(':'))
  })
})

describe('files of the agent', () => {
  test('arrive while the turn goes on, and the draft comes back after them', async () => {
    const { person, sim } = newcomer(world)
    world.agent.files.set('out/notes.txt', bytes('remember the milk'))
    world.agent.brain = async (turn) => {
      await turn.say('Here are your notes, as you wanted them.')
      await turn.sleep(800)
      turn.emit({ type: 'file', path: 'out/notes.txt', caption: 'Your notes' })
      await turn.sleep(3_000)
      await turn.say('Anything else?')
    }
    sim.sendText({ from: person }, 'my notes')
    const file = await sim.waitForBot(person, 'Your notes')
    expect((await sim.readFile(file.document?.file_id ?? '')).toString()).toBe('remember the milk')
    await sim.waitFor(() => sim.drafts(person).length > 0)
    await sim.waitForBot(person, 'Anything else?')
    expect(sim.botMessages(person).length).toBe(2)
  })

  test('of 30 MB pass through', async () => {
    const { person, sim } = newcomer(world)
    world.agent.files.set('big.bin', new Uint8Array(30 * 1024 * 1024).fill(7))
    world.agent.brain = async (turn) => {
      turn.emit({ type: 'file', path: 'big.bin' })
      await turn.say('There.')
    }
    sim.sendText({ from: person }, 'send it')
    const file = await sim.waitForBot(person, ({ document }) => document?.file_name === 'big.bin', {
      timeoutMs: 40_000,
    })
    expect(file.document?.file_size).toBe(30 * 1024 * 1024)
  })

  test('above 50 MB are told, and the answer comes', async () => {
    const { person, sim } = newcomer(world)
    world.agent.files.set('huge.bin', new Uint8Array(50 * 1024 * 1024 + 1))
    world.agent.brain = async (turn) => {
      turn.emit({ type: 'file', path: 'huge.bin' })
      await turn.say('There.')
    }
    sim.sendText({ from: person }, 'send it')
    await sim.waitForBot(person, 'huge.bin is larger than 50 MB')
    await sim.waitForBot(person, 'There.')
  })
})

describe('results of background work', () => {
  test('are fetched after a turn, delivered once, and acknowledged', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = (turn) => turn.say('Hello.')
    const at = new Date().toISOString()
    world.agent.pending.push({
      id: 1,
      chat_id: String(person),
      content: 'The report is **ready**.',
      source: 'schedule',
      created_at: at,
    })
    sim.sendText({ from: person }, 'hi')
    await sim.waitForBot(person, 'The report is')
    expect(sim.botMessages(person).length).toBe(2)
    await expect.poll(() => world.agent.pending).toEqual([])
  })

  test('that are offered twice are delivered once', async () => {
    const { person, sim } = newcomer(world)
    sim.start(person)
    await sim.waitForBot(person, 'command /start')
    const chat = await stub(person)
    const message = {
      id: 7,
      chat_id: String(person),
      content: 'Done in the background.',
      source: 'subagent',
      created_at: '',
    }
    expect(await chat.deliverPending(TEST_AGENT_ID, [message])).toBe(7)
    await sim.waitForBot(person, 'Done in the background.')
    const next = { ...message, id: 8, content: 'And more.' }
    expect(await chat.deliverPending(TEST_AGENT_ID, [message, next])).toBe(8)
    await sim.waitForBot(person, 'And more.')
    expect(sim.botMessages(person).length).toBe(3)
  })
})

describe('reports of a deployment', () => {
  test('fill one message in place, and the agent introduces itself at the end', async () => {
    const { person, sim } = newcomer(world)
    sim.start(person)
    await sim.waitForBot(person, 'command /start')
    world.agent.brain = (turn) => turn.say(`I am Rex (${turn.request.message}).`)
    const chat = await stub(person)
    const report: DeploymentReport = {
      deploymentId: 'd1',
      agentId: TEST_AGENT_ID,
      kind: 'create',
      seq: 1,
      status: 'running',
      step: 'machine',
      progress: 0.1,
      startedAt: 0,
    }
    await chat.reportDeployment(report)
    await sim.waitForBot(person, 'running machine 10%')
    await chat.reportDeployment({ ...report, seq: 3, step: 'health', progress: 0.9 })
    await chat.reportDeployment({ ...report, seq: 2, step: 'packages', progress: 0.5 })
    await sim.waitForBot(person, 'running health 90%')
    await chat.reportDeployment({ ...report, seq: 4, status: 'done', step: 'done', progress: 1 })
    await chat.reportDeployment({ ...report, seq: 4, status: 'done', step: 'done', progress: 1 })
    await sim.waitForBot(person, 'I am Rex (introduce yourself).')
    expect(sim.botMessages(person).map(({ text }) => text)).toEqual([
      'command /start',
      'done done 100%',
      'I am Rex (introduce yourself).',
    ])
    expect(world.agent.runs.get('deploy-d1')).toBe(1)
  })
})

interface ChatStub {
  deliverPending(agentId: string, messages: readonly object[]): Promise<number>
  reportDeployment(report: DeploymentReport): Promise<void>
}

async function stub(person: number): Promise<ChatStub> {
  const env = await world.server.getWorker<{ CHAT: { getByName(name: string): ChatStub } }>().getEnv()
  return env.CHAT.getByName(`${BOT_ID}:${person}`)
}
