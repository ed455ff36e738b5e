/**
 * `npm run rotate-key`: seals every key at rest with the present `BOT_ENCRYPTION_KEY`, for who keeps the keys of production
 * elsewhere than `npm run rotate` does. The former key stays in
 * `BOT_ENCRYPTION_KEY_FORMER` until this has run without broken records; then it can be taken out. Reads `.dev.vars` and the
 * environment, which wins.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { openDatabase } from '../functions/database/database.ts'
import { resealAll } from '../functions/database/reseal.ts'
import { createSeal } from '../functions/seal.ts'
import { describeResealed, WHEN_BROKEN } from './operator/describe-resealed.ts'

const Given = z.object({
  LIBSQL_URL: z.string({ error: 'is not set' }),
  LIBSQL_AUTH_TOKEN: z.string().optional(),
  BOT_ENCRYPTION_KEY: z.string({ error: 'is not set' }),
  BOT_ENCRYPTION_KEY_FORMER: z
    .string({ error: 'is not set: without the former key nothing old can be opened' })
    .transform((list) => list.split(',').map((key) => key.trim())),
})

const file = fileURLToPath(new URL('../.dev.vars', import.meta.url))
const written = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
const present = Object.entries({ ...written, ...process.env }).filter(([, value]) => Boolean(value))
const given = Given.safeParse(Object.fromEntries(present))
if (!given.success) {
  for (const { path, message } of given.error.issues) console.error(`${path.join('.')}: ${message}`)
  process.exit(1)
}
const { LIBSQL_URL: url, LIBSQL_AUTH_TOKEN: authToken, BOT_ENCRYPTION_KEY, BOT_ENCRYPTION_KEY_FORMER } = given.data
const sealed = await resealAll(
  openDatabase({ url, authToken }),
  createSeal(BOT_ENCRYPTION_KEY, BOT_ENCRYPTION_KEY_FORMER),
)
console.log(describeResealed(sealed))
console.log(sealed.broken === 0 ? 'BOT_ENCRYPTION_KEY_FORMER can be taken out now.' : WHEN_BROKEN)
process.exit(sealed.broken === 0 ? 0 : 1)
