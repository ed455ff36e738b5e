/** Whether a further machine can be paid: a core node wants a day of every running machine, and of the new one, in advance. */
import { z } from 'zod'
import { read } from './core-nodes.ts'

/** 1 vCPU, 2 GiB, 20 GiB for 24 h, in credits (1 credit = 1e-6 USD): 14,250 an hour. */
export const CREDITS_PER_MACHINE_DAY = 342_000

const Balance = z.object({ credit_balance: z.number().default(0) })

export async function fetchCredits(hosts: readonly string[], address: string): Promise<number> {
  const response = await read(hosts, `/api/v0/addresses/${address}/balance`)
  return response.status === 404 ? 0 : Balance.parse(await response.json()).credit_balance
}

/** @returns how many credits are missing for one more machine; 0 when there are enough */
export function missingCredits(balance: number, runningMachines: number): number {
  return Math.max(0, CREDITS_PER_MACHINE_DAY * (runningMachines + 1) - balance)
}
