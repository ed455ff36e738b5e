/** Asks a node to start an instance that is pinned to it. Older nodes wait for this; newer ones follow the scheduler alone. */

/** The node downloads the image inside this call. */
const NOTIFY_LIMIT_MS = 4 * 60_000

const HTTP = { ok: 200, badRequest: 400, noCredit: 402, conflict: 409 } as const

/**
 * `scheduler_decides`: the node follows the scheduler's plan · `refused`: it will not have it, another node might ·
 * `later`: full at the moment, or its core node has not seen the message yet.
 */
export type NotifyAnswer = 'started' | 'scheduler_decides' | 'no_credit' | 'refused' | 'later'

export async function notifyCrn(crnUrl: string, itemHash: string): Promise<NotifyAnswer> {
  try {
    const response = await fetch(new URL('/control/allocation/notify', crnUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instance: itemHash }),
      signal: AbortSignal.timeout(NOTIFY_LIMIT_MS),
    })
    await response.body?.cancel()
    switch (response.status) {
      case HTTP.ok:
        return 'started'
      case HTTP.conflict:
        return 'scheduler_decides'
      case HTTP.noCredit:
        return 'no_credit'
      case HTTP.badRequest:
        return 'refused'
      default:
        return 'later'
    }
  } catch {
    return 'later'
  }
}
