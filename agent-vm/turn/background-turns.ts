/** Turns that nobody reads: heartbeat, schedules, subagents. Their answers wait as pending results of their chat. */
import { randomUUID } from 'node:crypto'
import type { History } from '../history/history.ts'
import type { ChatUser } from '../protocol.ts'
import type { ToolContext } from '../tools/tool-runner.ts'
import type { Journal } from './journal.ts'
import type { Origin } from './turn.ts'
import type { Turns } from './turns.ts'

export interface BackgroundRequest {
  readonly origin: Exclude<Origin, 'chat' | 'subagent'>
  readonly prompt: string
  /** What the person knows it as; absent for what nobody asked for. */
  readonly task?: string
  /** Whose pending messages the answer goes to. */
  readonly chatId: string
  readonly user: ChatUser
  /** The same id runs once, also across restarts: name what is due (`schedule-<id>-<time>`). */
  readonly turnId?: string
}

export interface BackgroundResult {
  /** `HEARTBEAT_OK` when there was nothing to say; it is not stored then. */
  readonly text: string
  readonly files: readonly { readonly path: string; readonly caption?: string }[]
}

export interface BackgroundTurns {
  /** Resolves when the turn has ended and its answer is stored. */
  run(request: BackgroundRequest): Promise<BackgroundResult>
  /** @returns the id of the subagent, at once */
  spawn(task: string, context: ToolContext): string
}

export function createBackgroundTurns(turns: Turns, journal: Journal, history: History): BackgroundTurns {
  return {
    run: async ({ origin, prompt, task, chatId, user, turnId = `${origin}-${randomUUID()}` }) => {
      const turn = turns.start({ turnId, chatId, origin, message: prompt, user, task })
      if (!turn) throw new Error(`the turn id ${turnId} belongs to another chat`)
      await turns.live(turnId)?.finished
      const last = history.live(turn.historyId).findLast(({ message }) => message.role === 'assistant')
      return { text: last?.message.content ?? '', files: journal.sentFiles(turnId) }
    },
    spawn: (task, { chatId, user }) => {
      const turnId = `subagent-${randomUUID().slice(0, 8)}`
      turns.start({ turnId, chatId, origin: 'subagent', message: task, user, task })
      return turnId
    },
  }
}
