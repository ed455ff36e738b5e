/** What a FORGET message may say. */
import { z } from 'zod'

const MAX_HASHES = 1_000

export const ForgetContent = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  time: z.number().positive(),
  hashes: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_HASHES),
  reason: z.string().max(1_000),
})
export type ForgetContent = z.infer<typeof ForgetContent>

export function buildForgetContent(request: { address: string; itemHash: string; nowMs: number }): ForgetContent {
  return ForgetContent.parse({
    address: request.address,
    time: request.nowMs / 1_000,
    hashes: [request.itemHash],
    reason: 'no longer needed',
  })
}
