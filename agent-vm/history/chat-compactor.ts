/** `/compact`: the same compaction as in a turn, asked for by a person, while no turn runs in the chat. */
import { randomUUID } from 'node:crypto'
import { describeError } from '../log.ts'
import type { ChatUser, CompactResponse } from '../protocol.ts'
import { Conversation } from '../turn/conversation.ts'
import type { Journal } from '../turn/journal.ts'
import type { LoopPorts } from '../turn/turn-run.ts'
import type { Turns } from '../turn/turns.ts'
import { compact } from './compaction.ts'
import { flushMemory } from './memory-flush.ts'
import { summarizeRows } from './summarize.ts'

/** Asked for by hand there may be little: keep just the last exchange. */
const KEEP_MESSAGES = 2
const TIMEOUT_MS = 90_000
/** Histories that begin with `chat:` are the owner's. */
const OWNER: ChatUser = { id: 'owner', name: '', role: 'owner' }

export interface ChatCompactor {
  compact(chatId: string): Promise<CompactResponse>
}

export interface ChatCompactorPorts
  extends Pick<LoopPorts, 'history' | 'model' | 'limits' | 'configuration' | 'tools' | 'log'> {
  readonly journal: Journal
  readonly turns: Turns
}

export function createChatCompactor(ports: ChatCompactorPorts): ChatCompactor {
  return {
    compact: async (chatId) => {
      if (ports.turns.isBusy(chatId))
        return { compacted: false, notice: 'I am in the middle of an answer: try again after it.' }
      const notices: string[] = []
      await ports.turns.exclusively(chatId, async () => {
        for (const historyId of ports.history.historyIds(chatId)) {
          if (!/^(?:chat|visitor):/.test(historyId)) continue
          const notice = await compactHistory(historyId, chatId, ports)
          if (notice) notices.push(notice)
        }
      })
      const [notice = 'There is nothing to condense yet.'] = notices
      return { compacted: notices.length > 0, notice }
    },
  }
}

async function compactHistory(
  historyId: string,
  chatId: string,
  ports: ChatCompactorPorts,
): Promise<string | undefined> {
  const { history, journal, limits, model } = ports
  if (historyId.startsWith('chat:') && history.live(historyId).length > KEEP_MESSAGES)
    await flush(historyId, chatId, ports)
  const modelId = ports.configuration().model
  const limitTokens = limits.contextTokens(modelId) - limits.generationReserve
  const compaction = await compact({
    rows: history.live(historyId),
    state: history.state(historyId),
    fixedTokens: 0,
    limitTokens,
    keepMessages: Math.min(KEEP_MESSAGES, limits.keepMessages),
    now: Date.now(),
    summarize: (previous, rows) =>
      summarizeRows({ model, modelId, previous, rows, limitTokens, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    isStop: () => false,
  })
  if (!compaction) return undefined
  journal.compact(historyId, compaction)
  return compaction.notice.content
}

async function flush(historyId: string, chatId: string, ports: ChatCompactorPorts): Promise<void> {
  const tools = ports.tools.definitions({ user: OWNER, origin: 'chat' })
  const request = { message: '', user: OWNER, attachments: [] }
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const flushed = flushMemory({
    conversation: new Conversation(ports.history.state(historyId), ports.history.live(historyId), tools),
    tools,
    model: ports.configuration().model,
    signal,
    turn: { turnId: `compact-${randomUUID()}`, chatId, origin: 'chat', request },
    ports,
  })
  // Too slow a model is no reason not to compact.
  await flushed.catch((error: unknown) => {
    ports.log('warn', 'memory_flush_failed', { chat: chatId, reason: describeError(error) })
  })
}
