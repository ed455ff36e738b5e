/**
 * Before old messages leave the request, the model may save lasting facts. It sees the whole conversation once more (the
 * prefix is computed already) and may use the file tools under `memory/`, nothing else. Best effort: compaction goes on in any
 * case, and nothing of this becomes part of the history.
 */
import { posix } from 'node:path'
import { describeError } from '../log.ts'
import { type AnswerCall, readAnswer } from '../model/answer.ts'
import type { ModelMessage } from '../model/model-message.ts'
import type { TurnRun } from '../turn/turn-run.ts'
import { MEMORY_FLUSH_PROMPT } from './compaction-prompts.ts'

const MAX_ROUNDS = 3
const MAX_TOKENS = 2048
const FILE_TOOLS = new Set(['read_file', 'write_file', 'edit_file'])

/** What of a turn it needs: `/compact` flushes without one. */
export interface FlushRun extends Pick<TurnRun, 'conversation' | 'tools' | 'signal' | 'model'> {
  readonly turn: Pick<TurnRun['turn'], 'turnId' | 'chatId' | 'origin' | 'request'>
  readonly ports: Pick<TurnRun['ports'], 'model' | 'tools' | 'log'>
}

export async function flushMemory(run: FlushRun): Promise<void> {
  const canWrite = run.tools.some(({ name }) => name === 'edit_file' || name === 'write_file')
  if (!canWrite || run.turn.request.user.role !== 'owner') return
  const extra: ModelMessage[] = [{ role: 'user', content: MEMORY_FLUSH_PROMPT }]
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const calls = await askForCalls(run, extra)
      if (calls.length === 0) return
      extra.push({ role: 'assistant', content: '', tool_calls: calls.map(renderCall) })
      for (const call of calls) extra.push({ role: 'tool', tool_call_id: call.id, content: await runCall(run, call) })
    }
  } catch (error) {
    if (run.signal.aborted) throw error
    run.ports.log('warn', 'memory_flush_failed', { turn: run.turn.turnId, reason: describeError(error) })
  }
}

async function askForCalls(run: FlushRun, extra: readonly ModelMessage[]): Promise<readonly AnswerCall[]> {
  const parts = run.ports.model.stream({
    model: run.model,
    messages: run.conversation.request(extra),
    tools: run.tools,
    toolChoice: 'auto',
    maxTokens: MAX_TOKENS,
    signal: run.signal,
  })
  for await (const part of readAnswer(parts, run.tools)) {
    if (part.kind === 'answer') return part.answer.calls
  }
  return []
}

async function runCall(run: FlushRun, call: AnswerCall): Promise<string> {
  if (call.problem) return call.problem
  if (!FILE_TOOLS.has(call.name) || !isMemoryPath(call.input.path))
    return 'Refused: only files under memory/ can be used now.'
  const { turn, signal } = run
  const context = { chatId: turn.chatId, turnId: turn.turnId, user: turn.request.user, origin: turn.origin, signal }
  return (await run.ports.tools.run(call, context)).content
}

function isMemoryPath(path: unknown): boolean {
  return typeof path === 'string' && posix.normalize(path).startsWith('memory/')
}

function renderCall(call: AnswerCall) {
  return {
    id: call.id,
    type: 'function' as const,
    function: { name: call.name, arguments: JSON.stringify(call.input) },
  }
}
