/** `GET /file/bot<token>/<path>`: what `getFile` promised. */
import { createReadStream } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { World } from '../world.ts'

/** Download limit of the cloud Bot API. */
export const MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024

export async function serveBotFile(world: World, path: string, response: ServerResponse): Promise<void> {
  const file = world.files.findByPath(path)
  if (!file || file.size > MAX_DOWNLOAD_BYTES) {
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ok: false, error_code: 404, description: 'Not Found' }))
    return
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.size })
  await pipeline(createReadStream(world.files.diskPath(file)), response)
}
