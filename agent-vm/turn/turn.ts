/** What a turn is, and the steps it is made of. The loop yields steps; each is made durable, then shown, before the next. */
import { z } from 'zod'
import type { Compaction } from '../history/compaction.ts'
import type { AnswerCall } from '../model/answer.ts'
import type { ModelFailure } from '../model/model-failure.ts'
import type { ModelMessage } from '../model/model-message.ts'
import type { Usage } from '../model/model-port.ts'
import { type AgentEvent, Attachment, ChatUser, type DoneReason } from '../protocol.ts'
import type { ToolResult } from '../tools/tool-runner.ts'

export const Origin = z.enum(['chat', 'subagent', 'heartbeat', 'schedule'])
export type Origin = z.infer<typeof Origin>

/** As it was asked for; stored, so that a turn can begin or go on after a restart. */
export const TurnRequest = z.object({
  message: z.string(),
  user: ChatUser,
  attachments: z.array(Attachment),
  /** What background work is about, as whoever asked for it put it: named when it fails. */
  task: z.string().exactOptional(),
})
export type TurnRequest = z.infer<typeof TurnRequest>

/** `queued` nothing was done · `model` the model is asked · `tools` calls of the last answer are run · `done` ended. */
export const Phase = z.enum(['queued', 'model', 'tools', 'done'])
export type Phase = z.infer<typeof Phase>

export interface Turn {
  readonly turnId: string
  /** Where results go, and what `/stop` and `/steer` name. */
  readonly chatId: string
  /** The rows it reads and writes; background turns have their own. */
  readonly historyId: string
  readonly origin: Origin
  readonly request: TurnRequest
  readonly phase: Phase
  /** Requests to the model so far. */
  readonly iterations: number
  /** How often it was taken up again after the server died. */
  readonly resumes: number
}

export interface JournalledCall {
  readonly position: number
  readonly call: AnswerCall
  readonly state: 'planned' | 'begun' | 'finished'
  readonly result?: ToolResult
}

export interface Steer {
  readonly id: number
  readonly message: string
}

/** One move of a turn: everything in it becomes durable in one transaction, then its events are shown. */
export interface TurnStep {
  /** A token of an answer in the making, or that it is void: shown, never stored. `text` supersedes it. */
  readonly preview?: Extract<AgentEvent, { type: 'delta' | 'reset' }>
  readonly events?: readonly AgentEvent[]
  readonly append?: readonly ModelMessage[]
  readonly phase?: Exclude<Phase, 'done'>
  readonly iterations?: number
  /** The calls of an answer, replacing those before. */
  readonly plan?: readonly AnswerCall[]
  /** Positions of calls that begin now. `surely`: they may change something, so this must be on the disk first. */
  readonly begin?: { readonly positions: readonly number[]; readonly surely: boolean }
  readonly finish?: readonly { readonly position: number; readonly result: ToolResult }[]
  readonly takeSteers?: readonly Steer[]
  /** Pending results that the appended user message speaks of. */
  readonly told?: readonly number[]
  readonly usage?: Usage
  readonly compaction?: Compaction
  readonly systemPrompt?: { readonly text: string; readonly revision: string }
  readonly done?: Ending
}

export interface Ending {
  readonly reason: DoneReason
  /** What a background turn leaves for the person. */
  readonly result?: { readonly text: string; readonly files: readonly { path: string; caption?: string }[] }
  readonly failure?: ModelFailure
}
