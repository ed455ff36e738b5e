/** Bodies of answers that others send: read as far as agreed, whatever their headers promise. */

export class BodyTooLarge extends Error {
  readonly code = 'body_too_large'
}

/** @throws {BodyTooLarge} after `maxBytes`; the rest is not read */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const parts: string[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return parts.join('') + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw new BodyTooLarge(`more than ${maxBytes} bytes`)
    }
    parts.push(decoder.decode(value, { stream: true }))
  }
}
