/** The body of a request, checked: what is no JSON or has another shape is answered with 400, what is too long with 413. */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { z } from 'zod'

export async function readBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.infer<S>> {
  const text = await c.req.text()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refuse(400, { error: 'invalid_json', message: 'The body is not valid JSON.' }, error)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue?.path.join('.') || 'body'
  const isTooLong = result.error.issues.some(({ code }) => code === 'too_big')
  const error = isTooLong ? 'too_large' : 'invalid_request'
  throw refuse(isTooLong ? 413 : 400, { error, message: `${where}: ${issue?.message ?? 'is not valid'}` }, result.error)
}

export function refuse(
  status: 400 | 403 | 404 | 409 | 413,
  body: { error: string; message?: string },
  cause?: unknown,
): HTTPException {
  return new HTTPException(status, { res: Response.json(body, { status }), cause })
}
