/** The disk image of new machines: Debian 12, by its newest hash where the list can be read. */
import { z } from 'zod'
import { read } from './core-nodes.ts'
import { DEBIAN_12_IMAGE } from './instance-content.ts'

/** Aleph's own account for settings. */
const SETTINGS_ADDRESS = '0xFba561a84A537fCaa567bb7A2257e7142701ae2A'
const Images = z.object({
  data: z.object({
    'vm-images': z.object({
      rootfs: z.record(
        z.string(),
        z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), deprecated: z.boolean().optional() }),
      ),
    }),
  }),
})

export async function fetchDebianImage(hosts: readonly string[]): Promise<string> {
  try {
    const images = await read(hosts, `/api/v0/aggregates/${SETTINGS_ADDRESS}.json?keys=vm-images`, Images)
    return images?.data['vm-images'].rootfs.debian12?.hash ?? DEBIAN_12_IMAGE
  } catch {
    // The published hash is good for as long as the image is: an unreadable list is no reason not to create.
    return DEBIAN_12_IMAGE
  }
}
