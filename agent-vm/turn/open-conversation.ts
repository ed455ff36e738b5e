/**
 * Opens a history for a turn. The system prompt is made once per epoch and then sent as it is stored; a new epoch begins with
 * the first turn, after a compaction, when the configuration changes, and after a silence that no server's cache survives.
 */
import { Conversation } from './conversation.ts'
import type { TurnStep } from './turn.ts'
import type { TurnRun } from './turn-run.ts'

/** After it the memory and the day may be taken anew at no cost: the computed prefix is gone. */
const EPOCH_IDLE_MS = 6 * 3_600_000

export async function* openConversation(run: TurnRun): AsyncGenerator<TurnStep, void> {
  const { turn, ports } = run
  const { historyId } = turn
  let state = ports.history.state(historyId)
  // A visitor whose link allows other tools now is told of those.
  const revision = `${ports.configuration().revision}${turn.request.user.tools ?? ''}`
  const isOver =
    state.promptRevision !== revision || (turn.phase === 'queued' && Date.now() - state.activeAt > EPOCH_IDLE_MS)
  if (isOver) {
    const text = await ports.buildSystemPrompt(turn)
    if (text !== state.systemPrompt || state.promptRevision !== revision) yield { systemPrompt: { text, revision } }
    state = ports.history.state(historyId)
  }
  run.conversation = new Conversation(state, ports.history.live(historyId), run.tools)
}
