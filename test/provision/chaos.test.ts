/** A few stories of `npm run test:chaos`, which tells a hundred. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runChaos } from './chaos.ts'
import { type Ground, prepareGround } from './world.ts'

let ground: Ground
beforeAll(async () => {
  ground = await prepareGround()
  // Hundreds of expected failures are of no interest.
  for (const level of ['warn', 'error', 'info'] as const) vi.spyOn(console, level).mockReturnValue(undefined)
})
afterAll(async () => {
  vi.restoreAllMocks()
  await ground.close()
})

describe('while everything fails and the Worker dies again and again', () => {
  test.each([11])('nothing is left behind that is paid for, and nothing without an end (seed %i)', async (seed) => {
    const run = await runChaos(ground, seed)
    expect(run.breaches).toEqual([])
    // Or it would be a quiet day.
    expect(run.kills).toBeGreaterThan(3)
    expect(run.deployments).toBeGreaterThan(3)
  })
})
