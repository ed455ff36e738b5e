/** What the parts of the turn loop share: the ports they need, and the state of the turn that runs. */
import type { History } from '../history/history.ts'
import type { Log } from '../log.ts'
import type { ModelClient } from '../model/model-port.ts'
import type { Untold } from '../pending.ts'
import type { ToolDefinition, ToolRunner } from '../tools/tool-runner.ts'
import type { Conversation } from './conversation.ts'
import type { LoopDetector } from './loop-detector.ts'
import type { JournalledCall, Steer, Turn } from './turn.ts'

export interface LoopLimits {
  /** What the model takes, in tokens; a server's own statement may lower it. */
  contextTokens(model: string): number
  learnContextTokens(model: string, tokens: number): void
  readonly generationReserve: number
  readonly keepMessages: number
  readonly maxIterations: number
  readonly retryBaseMs: number
}

export interface LoopPorts {
  readonly model: ModelClient
  readonly tools: ToolRunner
  readonly history: History
  readonly limits: LoopLimits
  readonly log: Log
  /** Changes when the configuration of the agent does; part of what an epoch is made from. */
  configuration(): { readonly name: string; readonly model: string; readonly revision: string }
  buildSystemPrompt(turn: Turn): Promise<string>
  /** Keeps a message that is too long for the model in the workspace. @returns its path, `undefined` when that failed */
  saveLongMessage(turn: Turn): Promise<string | undefined>
  calls(turnId: string): JournalledCall[]
  untold(historyId: string): Untold[]
  waitingSteers(turnId: string): Steer[]
  /** As `waitingSteers`; when there is none, none is accepted any more. */
  lastSteers(turnId: string): Steer[]
  /** As `waitingSteers`; none is accepted any more. */
  closeSteers(turnId: string): Steer[]
  /** Files the turn has sent so far. */
  sentFiles(turnId: string): { path: string; caption?: string }[]
}

export interface TurnRun {
  readonly turn: Turn
  readonly signal: AbortSignal
  readonly ports: LoopPorts
  readonly tools: readonly ToolDefinition[]
  readonly detector: LoopDetector
  readonly model: string
  conversation: Conversation
  iterations: number
  /** Visible text of the answer in the making. */
  partial: string
  brokenAnswers: number
  compactions: number
}
