/** Makes sure that a file can be handed to the person; the delivery itself is the server's. */
import { describeSize } from './list-dir.ts'
import type { Operation } from './operation.ts'
import { openForReading, shownPath } from './place.ts'
import { ToolFailure } from './tool-failure.ts'

export interface SendFileInput {
  readonly path: string
  readonly caption?: string | undefined
}

/** What a Telegram bot can send. */
const MAX_SENT_BYTES = 50 * 1024 * 1024

export const sendFile: Operation<SendFileInput> = async ({ path, caption }, { place }) => {
  const { handle, realPath } = await openForReading(place, path)
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new ToolFailure(`${path} is not a file. To send a folder, pack it first (tar, zip).`)
    if (stat.size === 0) throw new ToolFailure(`${path} is empty: an empty file cannot be sent.`)
    if (stat.size > MAX_SENT_BYTES) {
      const [size, most] = [describeSize(stat.size), describeSize(MAX_SENT_BYTES)]
      throw new ToolFailure(`${path} has ${size}; at most ${most} can be sent. Compress or split it.`)
    }
    const file = `${place.prefix}${shownPath(place, realPath)}`
    return {
      ok: true,
      content: `${path} (${describeSize(stat.size)}) goes to the person with this turn.`,
      summary: `sent ${path} (${describeSize(stat.size)})`,
      files: [{ path: file, ...(caption !== undefined && caption !== '' && { caption }) }],
    }
  } finally {
    await handle.close()
  }
}
