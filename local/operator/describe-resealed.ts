/** What sealing everything anew came to, for whichever command did it. */
import type { resealAll } from '../../functions/database/reseal.ts'

export type Resealed = Awaited<ReturnType<typeof resealAll>>

export function describeResealed({ resealed, current, broken }: Resealed): string {
  return `${resealed} sealed anew, ${current} with the new key already, ${broken} that no known key opens.`
}

export const WHEN_BROKEN = 'Add the key those were sealed with to BOT_ENCRYPTION_KEY_FORMER and run this again.'
