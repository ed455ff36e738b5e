/** Before a turn: its files go into the agent's workspace, and what a person sent becomes what the agent is told. */
import type { Message } from 'grammy/types'
import type { Attachment } from '../../agent-vm/protocol.ts'
import { contextOf, missingFileLine, textOf } from './describe-message.ts'
import {
  type Fetched,
  type FetchPorts,
  fetchIncoming,
  type IncomingMedia,
  mediaOf,
  quotedMediaOf,
} from './incoming-media.ts'
import { named } from './steered-words.ts'
import type { PreparedTurn, StoredTurn } from './turn-store.ts'

/** As many as the agent takes with one message. */
const MAX_ATTACHMENTS = 32

export interface MissingFile {
  readonly name: string
  readonly reason: Exclude<Fetched['kind'], 'stored'>
}

export interface Preparation extends PreparedTurn {
  /** What the person must hear at once: files the agent does not get. */
  readonly problems: readonly MissingFile[]
}

interface Part {
  readonly text: string
  readonly attachments: readonly Attachment[]
  readonly problems: readonly MissingFile[]
}

/**
 * @param meanwhile what was said while the turn ran that is asked once more
 * @throws {AgentUnreachable} when a file cannot be stored now; safe to repeat
 */
export async function prepareTurn(
  turn: StoredTurn,
  meanwhile: readonly StoredTurn[],
  given: Omit<FetchPorts, 'folder'>,
): Promise<Preparation> {
  const { user } = turn
  // The only folder that a visitor's tools see (agent server, `visitorFolder`).
  const ports = user.role === 'visitor' ? { ...given, folder: `visitors/${user.id}` } : given
  const parts = [await describeTurn(turn, ports)]
  for (const later of meanwhile) {
    const { text, ...files } = await describeTurn(later, ports)
    parts.push({ text: named(later, turn, text), ...files })
  }
  const { text: message, attachments, problems } = join(parts)
  return { message, attachments: attachments.slice(0, MAX_ATTACHMENTS), problems }
}

async function describeTurn({ message, sources }: StoredTurn, ports: FetchPorts): Promise<Part> {
  const [head, ...rest] = sources
  if (!head) return { text: message, attachments: [], problems: [] }
  const parts = [await describe(head, message, ports)]
  for (const source of rest) parts.push(await describe(source, textOf(source), ports))
  return join(parts)
}

function join(parts: readonly Part[]): Part {
  return {
    text: parts
      .map(({ text }) => text)
      .filter((text) => text !== '')
      .join('\n\n'),
    attachments: parts.flatMap(({ attachments }) => attachments),
    problems: parts.flatMap(({ problems }) => problems),
  }
}

async function describe(message: Message, words: string, ports: FetchPorts): Promise<Part> {
  const lines = contextOf(message)
  const attachments: Attachment[] = []
  const problems: MissingFile[] = []
  for (const { media, messageId } of mediaAround(message)) {
    const fetched = await fetchIncoming(media, messageId, ports)
    if (fetched.kind === 'stored') {
      attachments.push(fetched.attachment)
      continue
    }
    lines.push(missingFileLine(media, fetched.kind))
    problems.push({ name: media.name, reason: fetched.kind })
  }
  return { text: [...lines, words].filter((line) => line.trim() !== '').join('\n'), attachments, problems }
}

/** The message's own file, and that of the message it answers: "what is on this photo?" */
function mediaAround(message: Message): { media: IncomingMedia; messageId: number }[] {
  const replied = message.reply_to_message
  // What the bot sent came from the agent's own workspace.
  const answered = replied && !replied.from?.is_bot ? [replied] : []
  const around = [...answered, message].map((each) => ({ media: mediaOf(each), messageId: each.message_id }))
  return [{ media: quotedMediaOf(message), messageId: message.message_id }, ...around].flatMap(
    ({ media, messageId }) => (media ? [{ media, messageId }] : []),
  )
}
