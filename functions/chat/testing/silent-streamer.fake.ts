/** A streamer whose signs of life reach nobody: they are tested on their own. */
import { ChatBudget } from '../chat-budget.ts'
import { pause } from '../pause.ts'
import { Streamer } from '../streamer.ts'

export function silentStreamer(): Streamer {
  const nothing = async () => undefined
  const budget = new ChatBudget({ kind: 'private' }, { now: Date.now, sleep: pause, saveSilence: () => undefined })
  return new Streamer(
    { mode: 'draft', kind: 'private', startedAt: Date.now() },
    {
      budget,
      sendDraft: nothing,
      sendTyping: nothing,
      editPreview: nothing,
      onEditing: () => undefined,
      openPreview: nothing,
      onClosed: nothing,
      onThreadGone: () => undefined,
      onMigrated: () => undefined,
      now: Date.now,
      sleep: pause,
    },
  )
}
