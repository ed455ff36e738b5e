/** Results of background work (heartbeat, schedules, subagents) on their way into this chat, each exactly once. */
import type { PendingMessage } from '../../agent-vm/protocol.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { Outbox } from './outbox.ts'
import { fileName } from './outgoing-file.ts'
import { plainText } from './text/formatted-text.ts'
import { renderMarkdown } from './text/render-markdown.ts'
import { splitMessage } from './text/split-message.ts'

/** Who speaks, when nobody asked. */
const SIGNS: Readonly<Record<string, string>> = { heartbeat: '💓', schedule: '⏰', subagent: '🧩' }

export interface PendingPorts {
  readonly database: ChatDatabase
  readonly outbox: Outbox
  now(): number
}

/**
 * Takes results over in order, all or nothing. The same agent's same id is taken once, however often it is offered.
 * @returns the highest id that is durable here; 0 when there was nothing
 */
export function takePending(agentId: string, messages: readonly PendingMessage[], ports: PendingPorts): number {
  const { database } = ports
  return database.transaction(() => {
    let highest = 0
    for (const message of messages.toSorted((a, b) => a.id - b.id)) {
      const isNew =
        database.query(
          'INSERT INTO pending_seen (agent_id, id) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id',
          agentId,
          message.id,
        ).length > 0
      if (isNew) write(agentId, message, ports)
      highest = message.id
    }
    return highest
  })
}

function write(agentId: string, { id, content, source, file }: PendingMessage, { outbox, now }: PendingPorts): void {
  const key = `p:${agentId}:${id}`
  const sign = SIGNS[source]
  const words = content.trim()
  if (words !== '') {
    splitMessage(renderMarkdown(sign ? `${sign} ${words}` : words)).forEach((text, index) => {
      outbox.add(`${key}:${index}`, { kind: 'send', text }, now())
    })
  }
  if (!file) return
  const caption = file.caption === undefined ? {} : { caption: plainText(file.caption.toWellFormed().slice(0, 1_000)) }
  const action = {
    kind: 'agent_file',
    agentId,
    from: { path: file.path },
    name: fileName(file.path),
    ...caption,
  } as const
  outbox.add(`${key}:file`, action, now())
}
