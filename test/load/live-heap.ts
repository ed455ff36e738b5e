/** What a JavaScript engine holds on to after it has tidied up, asked over its inspector: a leak shows here, laziness does not. */
import { WebSocket } from 'ws'
import { z } from 'zod'

const Targets = z.array(z.looseObject({ webSocketDebuggerUrl: z.string() }))
const Answer = z.looseObject({
  id: z.int().optional(),
  result: z.looseObject({ usedSize: z.number().optional() }).optional(),
})
const LIMIT_MS = 30_000
const TIDY = 1
const ASK = 2

/** @returns bytes, over all that answers at this inspector; `undefined` when nothing does */
export async function liveHeapAt(inspectorPort: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${inspectorPort}/json`, { signal: AbortSignal.timeout(LIMIT_MS) })
    const targets = Targets.parse(await response.json())
    const sizes = await Promise.all(targets.map(({ webSocketDebuggerUrl }) => askTarget(webSocketDebuggerUrl)))
    return sizes.reduce((sum, size) => sum + size, 0)
  } catch {
    // Busy, or just started again: the next sample will tell.
    return undefined
  }
}

function askTarget(url: string): Promise<number> {
  // wrangler lets only Cloudflare's own tools in.
  const socket = new WebSocket(url, { headers: { origin: 'https://devtools.devprod.cloudflare.dev' } })
  return new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the inspector is silent')), LIMIT_MS)
    const send = (id: number, method: string) => socket.send(JSON.stringify({ id, method }))
    socket.on('open', () => send(TIDY, 'HeapProfiler.collectGarbage'))
    socket.on('message', (data) => {
      const { id, result } = Answer.parse(JSON.parse(String(data)))
      if (id === TIDY) send(ASK, 'Runtime.getHeapUsage')
      if (id === ASK) resolve(result?.usedSize ?? 0)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the inspector went away')))
    timer.unref()
  }).finally(() => socket.terminate())
}
