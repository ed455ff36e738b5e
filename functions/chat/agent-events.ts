/** The events of one turn as the agent streams them, from a given one on. */
import { AgentEvent, type ChatRequest } from '../../agent-vm/protocol.ts'
import type { AgentClient } from './agent-client.ts'
import { readEvents, type ServerSentEvent } from './sse.ts'

/** The agent sends a keepalive every 15 s: this long without anything means that the connection is dead. */
const SILENCE_MS = 45_000

export interface NumberedEvent {
  readonly id: number
  /** `undefined` for what is not understood: it still moves the cursor, since a newer agent may send kinds we do not know. */
  readonly event: AgentEvent | undefined
}

export interface FollowOptions {
  /** Id of the last event that is safely kept. */
  readonly after: number
  readonly signal: AbortSignal
  readonly silenceMs?: number | undefined
}

/**
 * Yields the events that each network read brought. Ends when the agent closes the stream, whether or not the turn is over.
 * @throws {AgentUnreachable} {@link AgentRefused} and whatever breaks the stream, silence among it
 */
export async function* followTurn(
  agent: Pick<AgentClient, 'startTurn'>,
  request: ChatRequest,
  { after, signal, silenceMs = SILENCE_MS }: FollowOptions,
): AsyncGenerator<readonly NumberedEvent[]> {
  const silent = new AbortController()
  const stream = await agent.startTurn(request, { after, signal: AbortSignal.any([signal, silent.signal]) })
  let timer = setTimeout(() => silent.abort(), silenceMs)
  try {
    for await (const events of readEvents(stream)) {
      clearTimeout(timer)
      yield events.map(parseEvent)
      timer = setTimeout(() => silent.abort(), silenceMs)
    }
  } finally {
    clearTimeout(timer)
  }
}

function parseEvent({ id, data }: ServerSentEvent): NumberedEvent {
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    json = undefined
  }
  const number = Number(id)
  return { id: Number.isSafeInteger(number) ? number : 0, event: AgentEvent.safeParse(json).data }
}
