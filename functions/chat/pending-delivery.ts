/** Results of background work (heartbeat, schedules, subagents) on their way into this chat, each exactly once. */
import type { PendingMessage } from '../../agent-vm/protocol.ts'
import { lookUp } from './catalogue/catalogue.ts'
import { clip } from './catalogue/format.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { joinFormatted } from './formatted-tail.ts'
import type { Outbox } from './outbox.ts'
import { fileName } from './outgoing-file.ts'
import { renderCaption } from './text/caption.ts'
import { plainText } from './text/formatted-text.ts'
import { ENOUGH_UNITS, inMessages } from './text/in-messages.ts'
import { renderMarkdown } from './text/render-markdown.ts'
import { isVisible } from './text/tidy.ts'

/** Who speaks, when nobody asked. */
const SIGNS: Readonly<Record<string, string>> = { heartbeat: '💓', schedule: '⏰', subagent: '🧩' }

export interface PendingPorts {
  readonly database: ChatDatabase
  readonly outbox: Outbox
  words(): DeliveryWords
  now(): number
}

/** A row of the storage holds two megabytes; what does not fit would hold up all results behind it. */
export const MAX_RESULT_CHARS = 200_000
/** Its server sends the first words; another one may send more. */
const MAX_TASK_POINTS = 200
/** An agent that could not acknowledge for so long offers nothing any more. */
const KEPT_MS = 30 * 86_400_000

/**
 * Takes results over in order, all or nothing. The same result is taken once, however often it is offered; on a new machine
 * an agent counts from the beginning, so that its time belongs to its identity.
 * @returns the highest id that is durable here; 0 when there was nothing
 */
export function takePending(agentId: string, messages: readonly PendingMessage[], ports: PendingPorts): number {
  const { database } = ports
  return database.transaction(() => {
    let highest = 0
    for (const message of messages.toSorted((a, b) => a.id - b.id)) {
      const isNew =
        database.query(
          `INSERT INTO pending_taken (agent_id, result, taken_at) VALUES (?, ?, ?)
           ON CONFLICT DO NOTHING RETURNING result`,
          agentId,
          identityOf(message),
          ports.now(),
        ).length > 0
      if (isNew) write(agentId, message, ports)
      highest = message.id
    }
    return highest
  })
}

export function prunePending(database: ChatDatabase, now: number): void {
  database.query('DELETE FROM pending_taken WHERE taken_at < ?', now - KEPT_MS)
}

function identityOf({ id, created_at }: PendingMessage): string {
  return `${id}@${created_at.slice(0, 64)}`
}

function write(agentId: string, message: PendingMessage, ports: PendingPorts): void {
  const { source, file, code = '', task } = message
  const { outbox, now, words } = ports
  const failure = lookUp(words().failures, code)
  const told = failure ?? message.content
  const content = told.slice(0, MAX_RESULT_CHARS)
  const key = `p:${agentId}:${identityOf(message)}`
  const sign = SIGNS[source]
  const rendered = renderMarkdown(content, { enoughUnits: ENOUGH_UNITS })
  // As it was typed: what a person called it is not ours to format.
  const about = failure && task ? plainText(`\n${words().task(clip(task, MAX_TASK_POINTS))}`) : plainText('')
  const said = joinFormatted(rendered, about)
  if (isVisible(said.text)) {
    // Beside the rendered words: in front of the Markdown it would unmake a heading, a list or a table.
    const { shown, isWhole } = inMessages(sign ? joinFormatted(plainText(`${sign} `), said) : said)
    shown.forEach((text, index) => {
      outbox.add(`${key}:${index}`, { kind: 'send', text }, now())
    })
    if (!isWhole) {
      const { longAnswer, clipped } = words()
      const caption = plainText(content === told ? longAnswer : `${longAnswer}\n${clipped}`)
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
