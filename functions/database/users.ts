/** People, by Telegram's user id. */
import { eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { users } from './schema.ts'

export type User = typeof users.$inferSelect

/** Who spoke: makes the row on first contact and keeps name and language as Telegram tells them now. */
export async function ensureUser(
  database: Database,
  person: { id: number; firstName: string; languageCode?: string | undefined; now: number },
): Promise<User> {
  const languageCode = person.languageCode ?? null
  const [row] = await database
    .insert(users)
    .values({ id: person.id, firstName: person.firstName, languageCode, createdAt: person.now })
    .onConflictDoUpdate({ target: users.id, set: { firstName: person.firstName, languageCode } })
    .returning()
  if (!row) throw new Error('an upsert returned no row')
  return row
}

export async function findUser(database: Database, id: number): Promise<User | undefined> {
  const [row] = await database.select().from(users).where(eq(users.id, id)).limit(1)
  return row
}

/** What a person can set about themselves. `null` takes a setting back. */
export type UserSettings = Partial<Pick<User, 'languageOverride' | 'timezone' | 'quiet' | 'richText' | 'apiKeySealed'>>

export async function saveUserSettings(database: Database, id: number, settings: UserSettings): Promise<void> {
  await database.update(users).set(settings).where(eq(users.id, id))
}
