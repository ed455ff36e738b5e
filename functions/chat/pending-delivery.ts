/** Results of background work (heartbeat, schedules, subagents) on their way into this chat, each exactly once. */
import type { PendingMessage } from '../../agent-vm/protocol.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { joinFormatted } from './formatted-tail.ts'
import type { Outbox } from './outbox.ts'
import { fileName } from './outgoing-file.ts'
import { renderCaption } from './text/caption.ts'
import { plainText } from './text/formatted-text.ts'
import { ENOUGH_UNITS, inMessages } from './text/in-messages.ts'
import { renderMarkdown } from './text/render-markdown.ts'

/** Who speaks, when nobody asked. */
const SIGNS: Readonly<Record<string, string>> = { heartbeat: '💓', schedule: '⏰', subagent: '🧩' }

export interface PendingPorts {
  readonly database: ChatDatabase
  readonly outbox: Outbox
  words(): DeliveryWords
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

function write(agentId: string, { id, content, source, file }: PendingMessage, ports: PendingPorts): void {
  const { outbox, now } = ports
  const key = `p:${agentId}:${id}`
  const sign = SIGNS[source]
  const said = renderMarkdown(content, { enoughUnits: ENOUGH_UNITS })
  if (said.text !== '') {
    // Beside the rendered words: in front of the Markdown it would unmake a heading, a list or a table.
    const { shown, isWhole } = inMessages(sign ? joinFormatted(plainText(`${sign} `), said) : said)
    shown.forEach((text, index) => {
      outbox.add(`${key}:${index}`, { kind: 'send', text }, now())
    })
    if (!isWhole) {
      const caption = plainText(ports.words().longAnswer)
      outbox.add(`${key}:whole`, { kind: 'document', name: 'result.md', content, caption }, now())
    }
  }
  if (!file) return
  const caption = file.caption === undefined ? {} : { caption: renderCaption(file.caption) }
  const action = {
    kind: 'agent_file',
    agentId,
    from: { path: file.path },
    name: fileName(file.path),
    ...caption,
  } as const
  outbox.add(`${key}:file`, action, now())
}
