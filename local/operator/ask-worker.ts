/** What the Worker says about itself to anybody. */
import { z } from 'zod'

const CALL_LIMIT_MS = 15_000

const WorkerHealth = z.looseObject({
  status: z.string(),
  version: z.string(),
  database: z.string(),
  runner: z.string(),
})
export type WorkerHealth = z.infer<typeof WorkerHealth>

export async function askHealth(publicUrl: string): Promise<WorkerHealth> {
  const response = await fetch(`${publicUrl}/health`, { signal: AbortSignal.timeout(CALL_LIMIT_MS) })
  return WorkerHealth.parse(await response.json())
}
