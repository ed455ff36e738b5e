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

/** @throws {AgentUnreachable} when a file cannot be stored now; safe to repeat */
export async function prepareTurn(
  { message, sources, user }: StoredTurn,
  given: Omit<FetchPorts, 'folder'>,
): Promise<Preparation> {
  // The only folder that a visitor's tools see (agent server, `visitorFolder`).
  const ports = user.role === 'visitor' ? { ...given, folder: `visitors/${user.id}` } : given
  const [head, ...rest] = sources
  if (!head) return { message, attachments: [], problems: [] }
  const parts = [await describe(head, message, ports)]
  for (const source of rest) parts.push(await describe(source, textOf(source), ports))
  return {
    message: parts
      .map(({ text }) => text)
      .filter((text) => text !== '')
      .join('\n\n'),
    attachments: parts.flatMap(({ attachments }) => attachments).slice(0, MAX_ATTACHMENTS),
    problems: parts.flatMap(({ problems }) => problems),
  }
}

async function describe(message: Message, words: string, ports: FetchPorts) {
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
