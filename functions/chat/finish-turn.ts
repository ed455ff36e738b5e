/** The end of a turn: its last words in the outbox and the turn as ended, in one transaction. */
import type { ChatDatabase } from './chat-database.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { buildFinal, previewRef } from './final.ts'
import type { Outbox } from './outbox.ts'
import { plainText } from './text/formatted-text.ts'
import type { TurnProgress } from './turn-progress.ts'
import type { TurnRow, TurnStore } from './turn-store.ts'

export interface FinishPorts {
  readonly database: ChatDatabase
  readonly turns: TurnStore
  readonly outbox: Outbox
  readonly quiet: boolean
  readonly isGroup: boolean
  words(): DeliveryWords
  onOutgoing(): void
  now(): number
}

export interface TurnEnd {
  readonly progress: TurnProgress
  /** Said below the answer when the turn failed. */
  readonly problem: string | undefined
  readonly stopped: boolean
  /** The agent was not reached when it should have heard of the stop. */
  readonly owesStop: boolean
  /** The agent may still be at it, or have ended it where nobody heard. */
  readonly givenUp: boolean
  /** An edit of the preview may still be under way. */
  readonly mayBeOvertaken: boolean
}

export function finishTurn({ turnId, input }: TurnRow, end: TurnEnd, ports: FinishPorts): void {
  const { database, turns, outbox, now, quiet, isGroup, words, onOutgoing } = ports
  const { progress, problem, stopped, owesStop, givenUp, mayBeOvertaken } = end
  const ref = previewRef(turnId)
  const preview = outbox.findByKey(previewKey(turnId))
  // A preview that still waits for its turn is not needed any more.
  const isUnsent = preview?.state === 'pending'
  const outgoing = buildFinal({
    turnId,
    progress,
    quiet,
    rich: input.rich,
    replyTo: isGroup ? input.sources[0]?.message_id : undefined,
    hasPreview:
      preview !== undefined && !isUnsent && (preview.state !== 'sent' || outbox.resolve({ ref }) !== undefined),
    mayBeOvertaken,
    problem,
    stopped,
    words: words(),
  })
  database.transaction(() => {
    turns.saveProgress(turnId, progress)
    if (preview && isUnsent) outbox.end(preview.seq, 'dropped', 'the final came first', now())
    outgoing.forEach((action, index) => {
      outbox.add(finalKey(turnId, index), action, now())
    })
    turns.end(turnId, problem === undefined ? 'done' : 'failed', now())
    if (!progress.done && problem !== undefined) turns.noneTaken(input.agentId)
    if (owesStop) turns.oweStop(turnId)
    if (givenUp) turns.giveUp(turnId)
  })
  onOutgoing()
}

/** For a turn that breaks whatever runs it: one honest line, made of nothing that could break once more. */
export function giveUpTurn({ turnId, prepared }: TurnRow, ports: Omit<FinishPorts, 'quiet' | 'isGroup'>): void {
  const { database, turns, outbox, now, words, onOutgoing } = ports
  database.transaction(() => {
    outbox.add(finalKey(turnId, 0), { kind: 'send', text: plainText(`⚠️ ${words().failed}`) }, now())
    turns.end(turnId, 'failed', now())
    if (prepared) turns.oweStop(turnId)
  })
  onOutgoing()
}

export function previewKey(turnId: string): string {
  return `t:${turnId}:preview`
}

function finalKey(turnId: string, index: number): string {
  return `t:${turnId}:final:${index}`
}
