/**
 * How often an address may call that shows nothing we know. Counted by the platform beside the Worker; many agents may share
 * an address, so a key that was good a moment ago is no stranger's.
 */
import type { Bindings } from './bindings.ts'

export const STRANGER_PAUSE_S = 60

/** A request, and who counts. */
export interface Caller {
  readonly env: Pick<Bindings, 'STRANGER_RATE'>
  readonly req: { header(name: string): string | undefined }
}

export async function strangerMayCall({ env, req }: Caller): Promise<boolean> {
  // Set by Cloudflare; a client cannot give another one.
  const address = req.header('cf-connecting-ip') ?? 'unknown'
  const { success } = (await env.STRANGER_RATE?.limit({ key: address })) ?? { success: true }
  return success
}
