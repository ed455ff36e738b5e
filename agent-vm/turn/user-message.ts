/**
 * What the model reads as the person's message. Facts that change (time, who writes, files, what was sent meanwhile) stand
 * here and are stored as sent: in the system prompt they would make every request new from its first line.
 */
import { estimateTokens } from '../history/token-estimate.ts'
import type { Untold } from '../pending.ts'
import type { Turn } from './turn.ts'

/** A message above this share of what fits goes into a file, and the model sees its two ends. */
const LONG_SHARE = 0.25
const SHOWN_CHARS = 4000
const UNTOLD_CHARS = 3000
/** Spelled out, because `Intl` takes longer to open than all the rest of a message. */
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

export interface MessageFacts {
  readonly untold: readonly Untold[]
  readonly limitTokens: number
  readonly saveLongMessage: () => Promise<string | undefined>
}

export async function renderUserMessage(turn: Turn, facts: MessageFacts, now = new Date()): Promise<string> {
  const { message, user, attachments } = turn.request
  const name = plain(user.name)
  const lines = [
    `[${renderTime(now, user.timezone)}${name ? ` · ${name}` : ''}${user.role === 'visitor' ? ' (visitor)' : ''}]`,
    ...facts.untold.map(
      ({ source, content }) => `[meanwhile you sent, from a ${source}: ${clip(content, UNTOLD_CHARS)}]`,
    ),
    ...attachments.map(
      ({ path, name: file, mime }) => `[attached file: ${plain(path)} (${plain(file)}, ${plain(mime)})]`,
    ),
    message.trim() === '' && attachments.length === 0 ? '[empty message]' : await fitMessage(message, facts),
  ]
  return lines.filter((line) => line !== '').join('\n')
}

export function renderSteer(message: string, now = new Date()): string {
  return `[${renderTime(now)} · said while you were working]\n${message}`
}

/** To the minute: in the person's own zone where they have set it, else in UTC, which costs no `Intl`. */
export function renderTime(now: Date, timezone?: string): string {
  if (timezone === undefined) {
    return `${WEEKDAYS[now.getUTCDay()]} ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  }
  // Sweden writes days as ISO does.
  const time = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' })
  const day = now.toLocaleDateString('en-GB', { weekday: 'short', timeZone: timezone })
  return `${day} ${time.format(now)} ${timezone}`
}

async function fitMessage(message: string, facts: MessageFacts): Promise<string> {
  if (estimateTokens(message) <= facts.limitTokens * LONG_SHARE) return message
  const path = await facts.saveLongMessage()
  const where = path ? `the whole of it is in ${path}` : 'the rest could not be kept'
  const half = SHOWN_CHARS / 2
  return `${message.slice(0, half)}\n[… a message of ${message.length} characters; ${where} …]\n${message.slice(-half)}`.toWellFormed()
}

/** Within one line of ours: what other people choose must not look like another. */
function plain(text: string): string {
  return text.replace(/[\r\n\u2028\u2029[\]]/g, ' ').trim()
}

function clip(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`.toWellFormed()
}
