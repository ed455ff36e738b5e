/** Which lane an update takes into the inbox: stops before everything, the rest as the handlers say. */
import type { Update } from 'grammy/types'
import { describeError, log } from '../log.ts'
import { continuesPaste } from './gathering.ts'
import type { ClassifyUpdate } from './handling.ts'
import { ALBUM_SPAN_MS, type Inbox, type InboxLane } from './inbox.ts'
import { isStopSignal } from './stop-signal.ts'

export interface LanePorts {
  readonly inbox: Pick<Inbox, 'knowsAlbum' | 'open'>
  readonly classifyUpdate: ClassifyUpdate
  /** Asked for only where the handlers must be. */
  classifyPorts(): Promise<Parameters<ClassifyUpdate>[1]>
  now(): number
}

/** @returns `undefined` for what is nobody's */
export async function laneOf(update: Update, ports: LanePorts): Promise<InboxLane | undefined> {
  if (isStopSignal(update)) return 'urgent'
  const lane = classify(update, ports.classifyUpdate, await ports.classifyPorts())
  if (lane !== 'ignore') return lane
  const album = update.message?.media_group_id
  // Only one part of an album carries the caption and its mention, and it need not be the first.
  if (album !== undefined) return ports.inbox.knowsAlbum(album, ports.now() - ALBUM_SPAN_MS) ? 'turn' : 'aside'
  if (isRestOfPaste(update, ports)) return 'turn'
  // A spinner must end, whoever made the button.
  return update.callback_query ? 'control' : undefined
}

/** While the rest is waited for: in a group only the first of the messages that Telegram makes of it mentions us. */
function isRestOfPaste(update: Update, { inbox, now }: LanePorts): boolean {
  const personId = update.message?.from?.id
  const words = update.message?.text
  // A command is for whoever it names.
  if (personId === undefined || words === undefined || words.startsWith('/')) return false
  const before = inbox.open('turn').findLast((item) => item.update.message?.from?.id === personId)
  return before !== undefined && continuesPaste(before, { update, receivedAt: now() })
}

function classify(update: Update, classifyUpdate: ClassifyUpdate, ports: Parameters<ClassifyUpdate>[1]) {
  try {
    return classifyUpdate(update, ports)
  } catch (error) {
    log('warn', 'update_not_understood', { update: update.update_id, error: describeError(error) })
    return 'ignore'
  }
}
