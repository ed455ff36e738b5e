import type { Config } from '../../../functions/config.ts'
import type { Database } from '../../../functions/database/database.ts'
import { selectPaidMachines } from '../../../functions/database/machines.ts'
import { CREDITS_PER_MACHINE_DAY, fetchCredits, LOW_CREDIT_DAYS } from '../../../functions/provision/aleph/credits.ts'
import { accountAddress } from '../../../functions/provision/aleph/sign-message.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('aleph')
/** The network wants a day of every machine in advance, and takes machines away below that. */
const RESERVE_DAYS = 1

export async function checkAleph(config: Config, database: Database): Promise<Finding[]> {
  if (!config.ALEPH_PRIVATE_KEY)
    return [warn('there is no account: new agents get no machine', 'Set ALEPH_PRIVATE_KEY.')]
  const address = await accountAddress(config.ALEPH_PRIVATE_KEY)
  const findings = [ok(`the account is ${address}`)]
  try {
    const credits = await fetchCredits(config.ALEPH_API_URLS, address)
    const [paid] = await selectPaidMachines(database, CREDITS_PER_MACHINE_DAY).catch(() => [])
    return [...findings, judgeCredits(credits, paid?.count ?? 0, paid?.creditsPerDay ?? 0)]
  } catch {
    return [...findings, fail('no core node answers', 'Wait, or correct ALEPH_API_URLS.')]
  }
}

function judgeCredits(credits: number, machines: number, creditsPerDay: number): Finding {
  const topUp = 'Top up at https://app.aleph.cloud with the account above.'
  if (machines === 0) {
    const days = credits / CREDITS_PER_MACHINE_DAY
    if (days < RESERVE_DAYS) return fail(`${inDollars(credits)} are not enough for a first machine`, topUp)
    return ok(`${inDollars(credits)}: one machine for ${Math.floor(days)} days; none runs yet`)
  }
  const days = credits / creditsPerDay
  const line = `${inDollars(credits)} last ${days.toFixed(1)} days for ${machines === 1 ? 'the one machine' : `the ${machines} machines`}`
  if (days < RESERVE_DAYS) return fail(`${line}: the network takes machines away`, topUp)
  if (credits < creditsPerDay + creditsPerDay / machines)
    return fail(`${line}: no further machine can be ordered`, topUp)
  return days < LOW_CREDIT_DAYS ? warn(line, topUp) : ok(line)
}

/** A million credits are a dollar. */
function inDollars(credits: number): string {
  return `credits of $${(credits / 1e6).toFixed(2)}`
}
