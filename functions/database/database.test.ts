import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { findUser } from './users.ts'

/** Takes every call and answers none. */
const server = createServer(() => undefined)

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('a database that does not answer', () => {
  test('fails what was asked of it, so that whoever asked can go on', async () => {
    const { port } = server.address() as AddressInfo
    const database = openDatabase({ url: `http://127.0.0.1:${port}`, timeoutMs: 50 })
    await expect(findUser(database, 1)).rejects.toThrow()
  })
})
