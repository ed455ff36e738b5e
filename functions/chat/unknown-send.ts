/**
 * Did a message whose answer was lost arrive? Telegram shows a bot no history and knows no idempotency key, but it refuses an
 * edit that would change nothing: editing the messages that may be ours to exactly what was sent finds the one that is, and
 * disturbs no other ("message is not modified"; others: "not found", "can't be edited").
 *
 * First the few ids next to the last one known are looked at. If it is not there, a line takes its place: "I could not make
 * sure …", with a button. The line's own id says where the search ends; when everything below it was looked at, the message
 * certainly did not arrive, and the line becomes the message. Otherwise line and button stay, and the person decides.
 *
 * Only where one object alone sends into the chat (`mayProbe`), and only for ids above the last one known: every message of
 * ours below is known, so nothing of ours can be overwritten.
 */
import { log } from '../log.ts'
import type { ChatBudget } from './chat-budget.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { bodyOf, keyboardOf } from './message-body.ts'
import type { Outbox, OutboxRow } from './outbox.ts'
import type { Outgoing } from './outgoing.ts'
import type { Destination, TelegramClient } from './telegram-client.ts'
import { classifyFailure } from './telegram-failure.ts'
import { plainText } from './text/formatted-text.ts'
import { RESEND_BUTTON } from './turn-buttons.ts'

/** Before anything is said. Ids grow by one with each message of the chat, or of all the bot's chats together. */
export const FIRST_LOOK = 3
/** The most that is looked at in one go: one call each. */
export const LAST_LOOK = 12
/** Among more than this nobody finds anything. */
const MAX_SPAN = 500

const LABEL_POINTS = 48

export interface UnknownSendPorts {
  readonly outbox: Outbox
  readonly budget: Pick<ChatBudget, 'call'>
  readonly telegram: Pick<TelegramClient, 'sendText' | 'editText' | 'editCaption' | 'deleteMessage'>
  destination(): Destination
  mayProbe(): boolean
  words(): DeliveryWords
  onMessage(): void
  onTrouble?(outcome: string): void
  now(): number
}

/**
 * Takes the next step towards knowing. Safe to repeat.
 * @throws {TelegramFailure} when Telegram does not answer the question now: come back later
 */
export async function resolveUnknownSend(row: OutboxRow, ports: UnknownSendPorts): Promise<void> {
  const { outbox, now } = ports
  const mayLook = ports.mayProbe() && row.afterId !== undefined && isEditable(row.action)
  const found = mayLook ? await look(row, ports) : undefined
  if (found !== undefined) {
    log('info', 'arrival_found', { row: row.key })
    ports.onTrouble?.('arrival_found')
    outbox.markSent(row, found, now())
    ports.onMessage()
    if (row.lineId !== undefined) await removeLine(row.lineId, ports)
    return
  }
  if (row.action.kind === 'send' && row.action.disposable) {
    outbox.end(row.seq, 'dropped', 'outcome unknown', now())
    return
  }
  if (row.lineId === undefined) {
    const lineId = await sendLine(row, ports)
    // Or the search for another message would take the line for that.
    outbox.noteSeen(lineId)
    outbox.markLine(row.seq, lineId)
    return
  }
  // The person looked too, and wants it again.
  if (row.wanted) {
    await takeLinesPlace(row, row.lineId, ports)
    return
  }
  if (mayLook && outbox.find(row.seq)?.probed === spanOf(row)) {
    log('info', 'arrival_ruled_out', { row: row.key })
    ports.onTrouble?.('arrival_ruled_out')
    await takeLinesPlace(row, row.lineId, ports)
    return
  }
  log('warn', 'arrival_unknown', { row: row.key })
  ports.onTrouble?.('arrival_unknown')
  outbox.markUnsure(row.seq, now())
}

/** A message that opens the reply box cannot be edited (Bot API, "Updating messages"), so that tells nothing. */
function isEditable(action: Outgoing): boolean {
  return action.kind !== 'send' || action.askReply === undefined
}

/** How many ids it may have. */
function spanOf({ lineId, afterId }: OutboxRow): number {
  return lineId === undefined || afterId === undefined ? FIRST_LOOK : lineId - afterId - 1
}

/**
 * Looks at the ids it may have, as far as the calls last. What is known to be something else costs none.
 * @returns the id of the message, if it is among those looked at
 */
async function look(row: OutboxRow, ports: UnknownSendPorts): Promise<number | undefined> {
  const { outbox, now } = ports
  const first = (row.afterId ?? 0) + 1
  const span = Math.min(MAX_SPAN, spanOf(row))
  const open = Array.from({ length: span }, (_, offset) => offset).filter(
    (offset) => offset >= row.probed && !outbox.isAccountedFor(first + offset),
  )
  for (const offset of open.slice(0, LAST_LOOK)) {
    if (await isIt(row, first + offset, ports)) return first + offset
    outbox.markUnknown(row.seq, now(), offset + 1)
  }
  if (open.length <= LAST_LOOK) outbox.markUnknown(row.seq, now(), span)
  return undefined
}

async function isIt(
  row: OutboxRow,
  messageId: number,
  { budget, telegram, destination }: UnknownSendPorts,
): Promise<boolean> {
  try {
    await budget.call('message', () => editToSame(row, messageId, { telegram, to: destination() }))
    // It took the edit: ours, in an earlier form. It is as wanted now.
    return true
  } catch (error) {
    const failure = classifyFailure(error)
    if (failure.kind === 'not_modified') return true
    if (failure.kind === 'target_gone' || failure.kind === 'refused') return false
    throw failure
  }
}

async function editToSame(
  { action, fallbacks }: OutboxRow,
  messageId: number,
  { telegram, to }: { telegram: UnknownSendPorts['telegram']; to: Destination },
): Promise<void> {
  if (action.kind === 'send') {
    await telegram.editText(to, messageId, bodyOf(action, fallbacks), keyboardOf(action, fallbacks))
  }
  if (action.kind === 'document' || action.kind === 'agent_file') {
    await telegram.editCaption(to, messageId, bodyOf({ text: action.caption ?? plainText('') }, fallbacks))
  }
}

async function sendLine(
  row: OutboxRow,
  { budget, telegram, destination, words, onMessage }: UnknownSendPorts,
): Promise<number> {
  const keyboard = [[RESEND_BUTTON.build(words().resend, row.seq)]]
  const id = await budget.call('message', () =>
    telegram.sendText(destination(), plainText(words().unsure(labelOf(row.action))), { keyboard, silent: true }),
  )
  onMessage()
  return id ?? 0
}

/** By what a person finds it: the first words, or the file. */
function labelOf(action: Outgoing): string {
  const words = 'text' in action ? action.text.text : 'caption' in action ? (action.caption?.text ?? '') : ''
  const line = words.split('\n').find((each) => each.trim() !== '') ?? ('name' in action ? action.name : '…')
  const points = [...line.trim()]
  return points.length <= LABEL_POINTS ? line.trim() : `${points.slice(0, LABEL_POINTS - 1).join('')}…`
}

async function takeLinesPlace(row: OutboxRow, lineId: number, ports: UnknownSendPorts): Promise<void> {
  const { outbox, budget, telegram, destination, now } = ports
  const { action } = row
  if (!becomesByEdit(action)) {
    await removeLine(lineId, ports)
    outbox.markPending(row.seq, now())
    return
  }
  try {
    await budget.call('message', () =>
      telegram.editText(destination(), lineId, bodyOf(action, row.fallbacks), keyboardOf(action, row.fallbacks)),
    )
  } catch (error) {
    const failure = classifyFailure(error)
    if (failure.kind === 'target_gone') {
      outbox.markPending(row.seq, now())
      return
    }
    if (failure.kind !== 'not_modified') throw failure
  }
  outbox.markSent(row, lineId, now())
}

/** An edit can neither open the reply box nor turn words into a file. */
function becomesByEdit(action: Outgoing): action is Extract<Outgoing, { kind: 'send' }> {
  return action.kind === 'send' && action.askReply === undefined
}

async function removeLine(lineId: number, { budget, telegram, destination }: UnknownSendPorts): Promise<void> {
  try {
    await budget.call('message', () => telegram.deleteMessage(destination(), lineId))
  } catch (error) {
    log('info', 'line_not_removed', { error: classifyFailure(error).message })
  }
}
