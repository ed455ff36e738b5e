import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { choosePorts, PortInUse, requireFree } from './ports.ts'

describe('a port', () => {
  test('in use is named, with what it was for and what to type instead', async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address()
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
      })
    })
    try {
      const refusal = requireFree(port, 'the Worker')
      await expect(refusal).rejects.toThrow(PortInUse)
      await expect(refusal).rejects.toThrow(`Port ${port} (the Worker) is in use by another program.`)
      await expect(refusal).rejects.toThrow(`PORT=${port + 1000} npm start`)
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
    await requireFree(port, 'the Worker')
  })

  test('is chosen beside the Worker’s, and machines of two set-ups stay apart', () => {
    const [first, second] = [choosePorts(8787), choosePorts(9787)]
    expect(Object.values(first)).toHaveLength(new Set(Object.values(first)).size)
    expect(second.machines).not.toBe(first.machines)
  })
})
