/** Whether a further machine can be paid: a core node wants a day of every running machine, and of the new one, in advance. */
import { z } from 'zod'
import { read } from './core-nodes.ts'
import type { Envelope } from './sign-message.ts'

/** 1 vCPU, 2 GiB, 20 GiB for 24 h, in credits: 14,250 an hour. Used where no node tells its price. */
export const CREDITS_PER_MACHINE_DAY = 342_000
export const CREDITS_PER_USD = 1_000_000
const SECONDS_PER_DAY = 86_400
/** Whoever tops up needs some notice: below so many days of all machines they are warned. */
export const LOW_CREDIT_DAYS = 7

const Balance = z.object({ credit_balance: z.number() })
/** Credits per second for messages that are paid with credits. */
const Estimate = z.object({ required_tokens: z.number().positive() })

/**
 * @param limits how long each host may take
 * @returns 0 for an address that the network does not know
 */
export async function fetchCredits(
  hosts: readonly string[],
  address: string,
  limits: { readonly limitMs?: number } = {},
): Promise<number> {
  return (await read(hosts, `/api/v0/addresses/${address}/balance`, Balance, limits))?.credit_balance ?? 0
}

/** @returns credits that a day of this very instance costs, as the network says; the published price where it does not */
export async function fetchDailyPrice(hosts: readonly string[], message: Envelope): Promise<number> {
  try {
    const estimate = await read(hosts, '/api/v0/price/estimate', Estimate, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
    })
    return estimate ? Math.ceil(estimate.required_tokens * SECONDS_PER_DAY) : CREDITS_PER_MACHINE_DAY
  } catch {
    return CREDITS_PER_MACHINE_DAY
  }
}

/** @returns how many credits are missing for one more machine; 0 when there are enough */
export function missingCredits(
  balance: number,
  runningMachines: number,
  creditsPerDay: number = CREDITS_PER_MACHINE_DAY,
): number {
  return Math.max(0, creditsPerDay * (runningMachines + 1) - balance)
}

/** What the operator has to do, with every number it takes. */
export function describeMissing(account: {
  address: string
  balance: number
  runningMachines: number
  creditsPerDay: number
  missing: number
}): string {
  const { address, balance, runningMachines, creditsPerDay, missing } = account
  const usd = (missing / CREDITS_PER_USD).toFixed(2)
  return (
    `${Math.ceil(missing)} credits (${usd} USD) are missing on ${address}: it has ${Math.floor(balance)}, ` +
    `and a day of ${runningMachines + 1} machines costs ${creditsPerDay * (runningMachines + 1)}. Top up, or free machines.`
  )
}
