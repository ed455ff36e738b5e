/** For tests: a way to a machine that can be cut. */
import { createServer, type Socket, connect as tcpConnect } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Bytes that came from the client so far. */
  readonly passed: () => number
  cut(): void
  close(): void
}

export async function openProxy(
  to: number,
  onBytes: (passed: number, cut: () => void) => void = () => undefined,
): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let passed = 0
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((socket) => {
    const upstream = tcpConnect(to, '127.0.0.1')
    for (const [end, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(end)
      end.on('error', () => other.destroy())
      end.on('close', () => other.destroy())
    }
    socket.on('data', (chunk) => {
      passed += chunk.length
      upstream.write(chunk)
      onBytes(passed, cut)
    })
    upstream.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    passed: () => passed,
    cut,
    close: () => {
      cut()
      server.close()
    },
  }
}
