/** What the network accepts inside a message. A breach is answered without a reason, as the real one does. */
import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/)

/** Unknown keys are refused at the top and in `requirements`, and overlooked inside payment, rootfs and the like. */
export const InstanceContent = z
  .strictObject({
    address,
    time: z.number().min(0),
    allow_amend: z.boolean(),
    metadata: z.record(z.string(), z.unknown()).nullish(),
    authorized_keys: z.array(z.string().max(8192)).max(256).nullish(),
    variables: z.record(z.string().max(128), z.string().max(4096)).nullish(),
    environment: z.looseObject({ hypervisor: z.enum(['qemu', 'firecracker']).optional() }),
    resources: z.looseObject({
      vcpus: z.number().int().min(1).max(256),
      memory: z.number().int().min(1),
      seconds: z.number().int().min(1),
    }),
    payment: z.looseObject({ type: z.enum(['hold', 'superfluid', 'credit']) }).nullish(),
    requirements: z
      .strictObject({
        cpu: z.unknown().optional(),
        gpu: z.unknown().optional(),
        node: z.strictObject({ node_hash: hash.optional() }).optional(),
      })
      .nullish(),
    volumes: z.array(z.unknown()).max(256).default([]),
    rootfs: z.looseObject({
      parent: z.looseObject({ ref: hash }),
      persistence: z.enum(['host', 'store']),
      size_mib: z.number().int().min(1).max(1_953_125),
    }),
  })
  .refine(
    ({ payment, requirements }) => payment?.type !== 'credit' || !requirements || requirements.node?.node_hash,
    'node hash needed',
  )

export const ForgetContent = z.strictObject({
  address,
  time: z.number().min(0),
  hashes: z.array(hash).min(1).max(1000),
  aggregates: z.array(z.string()).optional(),
  reason: z.string().max(1000).nullish(),
})
