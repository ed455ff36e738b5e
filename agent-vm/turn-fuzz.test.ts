/** Random sequences of turns, stops, kills, compactions and clearings: whatever happens, every request is legal. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FakeCall, ModelCall, Reply } from './model/model.fake.ts'
import { type AgentUnderTest, FAST_DISK, readEvents, reasonOf, startTestAgent } from './testing/agent-under-test.ts'
import { seededRandom } from './testing/seeded-random.ts'

/** All of them in `npm run test:endurance`, a part each time the tests run. */
const SEQUENCES = process.env.BAAL_WIDER ? 1000 : 200
const LIMIT_MS = 600_000
/** An agent serves so many sequences, each in the chat that the one before left behind. */
const SEQUENCES_PER_AGENT = 25
const STEPS_PER_SEQUENCE = 5

const ENVIRONMENT = {
  MAX_CONTEXT_TOKENS: '6000',
  GENERATION_RESERVE: '1000',
  COMPACTION_KEEP_MESSAGES: '4',
  MAX_TOOL_ITERATIONS: '6',
  MODEL_RETRY_BASE_MS: '1',
  MODEL_FIRST_TOKEN_TIMEOUT_MS: '150',
  MODEL_IDLE_TIMEOUT_MS: '150',
}

type Random = () => number

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!
}

function someCall(random: Random): FakeCall {
  const id = `call_${Math.floor(random() * 50)}`
  return pick<() => FakeCall>(random, [
    () => ({ id, name: 'append', arguments: { path: 'x', line: id } }),
    () => ({ id, name: 'append_slowly', arguments: { path: 'x', line: id } }),
    () => ({ id, name: 'wait', arguments: { ms: Math.floor(random() * 20) } }),
    () => ({ id, name: 'read_file', arguments: { path: 'x' } }),
    () => ({ id: '', name: 'append', arguments: { path: 'x', line: 'y' } }),
    () => ({ id, name: 'no such tool!', arguments: {} }),
    () => ({ id, name: 'append', arguments: '{"path": "x", "li' }),
    () => ({ id, name: 'append', arguments: '{"path":"x","line":"1"}{"path":"x","line":"2"}' }),
  ])()
}

/** What models and their servers do on bad days. */
function someReply(random: Random, call: ModelCall): Reply {
  const usage = { prompt: Math.ceil(JSON.stringify(call.messages).length / 3), completion: 20 }
  const reply = pick<() => Reply>(random, [
    () => ({ content: 'short' }),
    () => ({ pieces: ['a ', 'b ', 'c'], pauseMs: 2 }),
    () => ({ content: 'long '.repeat(300) }),
    () => ({ calls: [someCall(random)] }),
    () => ({ content: 'Working.', calls: [someCall(random), someCall(random), someCall(random)] }),
    () => ({ calls: [someCall(random), someCall(random)], finish: 'stop' }),
    () => ({ content: '' }),
    () => ({ content: '\ud800 half a character' }),
    () => ({ content: 'cut', finish: 'length' }),
    () => ({ pieces: ['one', 'two'], cutAfter: 1 }),
    () => ({ content: '<tool_call>{"name": "append", "arguments": {"path": "x"}}</tool_call>' }),
    () => ({ reasoning: 'thinking', content: '<think>more</think>' }),
    () => ({ status: pick(random, [429, 500, 503]) }),
    () => ({ status: 400, body: { error: { message: "This model's maximum context length is 6000 tokens." } } }),
  ])()
  return { usage, ...reply }
}

/** One step of a sequence. Turns are left running, so that what follows comes in the middle of them. */
async function someStep(random: Random, agent: AgentUnderTest, running: Promise<unknown>[]): Promise<void> {
  const chat = '/chat/c1'
  await pick<() => Promise<unknown>>(random, [
    ...Array.from({ length: 4 }, () => async () => {
      const message = pick(random, ['go', 'm'.repeat(2000), '\ud800', 'do it'])
      const response = await agent.openTurn({ message, chat_id: 'c1' })
      running.push(Array.fromAsync(readEvents(response)).catch(() => 'the server was killed'))
    }),
    () => agent.post(`${chat}/stop`, {}),
    () => agent.post(`${chat}/steer`, { message: 'rather blue' }),
    () => agent.post(`${chat}/compact`, {}),
    () => agent.startOver(),
    () => agent.request(chat, { method: 'DELETE' }),
    () => sleep(Math.floor(random() * 15)),
  ])()
}

test(
  `${SEQUENCES} random sequences of stops, kills and compactions keep every request legal`,
  async () => {
    let requests = 0
    for (let first = 0; first < SEQUENCES; first += SEQUENCES_PER_AGENT) {
      const random = seededRandom(first + 1)
      const script = (call: ModelCall) => someReply(random, call)
      const agent = await startTestAgent({ env: ENVIRONMENT, script, place: FAST_DISK })
      try {
        for (let sequence = first; sequence < first + SEQUENCES_PER_AGENT; sequence++) {
          const running: Promise<unknown>[] = []
          for (let step = 0; step < STEPS_PER_SEQUENCE; step++) await someStep(random, agent, running)
          await agent.post('/chat/c1/stop', {})
          await Promise.all(running)
          expect(agent.model.illegal, `sequence ${sequence}`).toEqual([])
        }
        // Whatever it went through, the chat still answers.
        agent.model.script = () => ({ content: 'fine' })
        expect(reasonOf(await agent.chat('still there?')), `agent of sequence ${first}`).toBe('stop')
        expect(agent.model.illegal).toEqual([])
        requests += agent.model.calls.length
      } finally {
        await agent.close()
      }
    }
    expect(requests).toBeGreaterThan(SEQUENCES)
  },
  LIMIT_MS,
)
