/** What an INSTANCE message may say. Core nodes answer a mistake without telling which: everything is checked here first. */
import { z } from 'zod'

/** Debian 12 as published; used when the list of images cannot be read. */
export const DEBIAN_12_IMAGE = 'b6ff5c3a8205d1ca4c7c3369300eeafff498b558f71b851aa2114afd0a532717'
const VCPUS = 1
export const MEMORY_MIB = 2_048
export const DISK_MIB = 20_480

const hash = z.string().regex(/^[0-9a-f]{64}$/)

export const InstanceContent = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  time: z.number().positive(),
  allow_amend: z.literal(false),
  metadata: z.strictObject({ name: z.string().min(1).max(256) }),
  authorized_keys: z
    .array(
      z
        .string()
        .regex(/^ssh-\S+ \S+/)
        .max(8_192),
    )
    .min(1)
    .max(256),
  environment: z.strictObject({
    internet: z.literal(true),
    aleph_api: z.literal(true),
    // Left out, a compute node takes firecracker, which cannot run this image.
    hypervisor: z.literal('qemu'),
    reproducible: z.literal(false),
    shared_cache: z.literal(false),
  }),
  resources: z.strictObject({ vcpus: z.int().min(1).max(256), memory: z.int().min(1), seconds: z.int().min(1) }),
  payment: z.strictObject({ chain: z.literal('ETH'), type: z.literal('credit') }),
  /** Absent: the scheduler places it. Anything but a node's hash here is refused for what is paid with credits. */
  requirements: z.strictObject({ node: z.strictObject({ node_hash: hash }) }).optional(),
  volumes: z.tuple([]),
  rootfs: z.strictObject({
    parent: z.strictObject({ ref: hash, use_latest: z.literal(true) }),
    persistence: z.literal('host'),
    size_mib: z.int().min(1).max(1_953_125),
  }),
})
export type InstanceContent = z.infer<typeof InstanceContent>

/** No secrets: the content is public for ever. */
export function buildInstanceContent(request: {
  address: string
  name: string
  sshPublicKey: string
  image: string
  nowMs: number
  /** Hash of the compute node it must run on; absent: the scheduler chooses. */
  node?: string | undefined
}): InstanceContent {
  return InstanceContent.parse({
    address: request.address,
    time: request.nowMs / 1_000,
    allow_amend: false,
    metadata: { name: request.name },
    authorized_keys: [request.sshPublicKey],
    environment: { internet: true, aleph_api: true, hypervisor: 'qemu', reproducible: false, shared_cache: false },
    resources: { vcpus: VCPUS, memory: MEMORY_MIB, seconds: 30 },
    payment: { chain: 'ETH', type: 'credit' },
    ...(request.node ? { requirements: { node: { node_hash: request.node } } } : {}),
    volumes: [],
    rootfs: { parent: { ref: request.image, use_latest: true }, persistence: 'host', size_mib: DISK_MIB },
  })
}
