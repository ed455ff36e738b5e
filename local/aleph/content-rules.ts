/** What the network accepts inside a message. A breach is answered without a reason, as the real one does. */
import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
const time = z.number().min(0).max(9_223_372_036)
const int = (min: number, max: number) => z.number().int().min(min).max(max)

const Volume = z.looseObject({
  comment: z.string().max(256).optional(),
  mount: z.string().max(256).optional(),
  name: z.string().max(256).optional(),
})

/** Unknown keys are refused at the top and in `requirements`, and overlooked inside payment, rootfs and the like. */
export const InstanceContent = z
  .strictObject({
    address,
    time,
    allow_amend: z.boolean(),
    metadata: z
      .record(z.string(), z.unknown())
      .refine((entries) => Object.keys(entries).length <= 256)
      .nullish(),
    authorized_keys: z.array(z.string().max(8192)).max(256).nullish(),
    variables: z.record(z.string().max(128), z.string().max(4096)).nullish(),
    environment: z.looseObject({
      hypervisor: z.enum(['qemu', 'firecracker']).optional(),
      trusted_execution: z.unknown().optional(),
    }),
    resources: z.looseObject({
      vcpus: int(1, 256),
      memory: int(1, 1_048_576),
      seconds: int(1, 315_360_000),
    }),
    payment: z.looseObject({ type: z.enum(['hold', 'superfluid', 'credit']), chain: z.string().nullish() }).nullish(),
    requirements: z
      .strictObject({
        cpu: z.unknown().optional(),
        gpu: z.array(z.unknown()).optional(),
        node: z
          .strictObject({
            owner: z.string().optional(),
            address_regex: z.string().optional(),
            node_hash: hash.optional(),
            terms_and_conditions: hash.optional(),
          })
          .optional(),
      })
      .nullish(),
    volumes: z.array(Volume).max(256).default([]),
    rootfs: z.looseObject({
      parent: z.looseObject({ ref: hash }),
      persistence: z.enum(['host', 'store']),
      size_mib: int(1, 1_953_125),
    }),
  })
  .refine(
    ({ payment, requirements }) => payment?.type !== 'credit' || !requirements || requirements.node?.node_hash,
    'node hash needed',
  )
  .refine(
    ({ environment }) => !environment.trusted_execution || environment.hypervisor === 'qemu',
    'trusted execution needs qemu',
  )
export type InstanceContent = z.infer<typeof InstanceContent>

export const ForgetContent = z.strictObject({
  address,
  time,
  hashes: z.array(hash).min(1).max(1000),
  aggregates: z.array(z.string()).optional(),
  reason: z.string().max(1000).nullish(),
})

export const AggregateContent = z.strictObject({
  address,
  time,
  key: z.string().min(1),
  content: z.record(z.string(), z.unknown()),
})

/** @returns whether a node would look at the message at all */
export function isContentLegal({ type, item_content }: { type: string; item_content: string }): boolean {
  const rules = type === 'INSTANCE' ? InstanceContent : type === 'FORGET' ? ForgetContent : AggregateContent
  try {
    return rules.safeParse(JSON.parse(item_content)).success
  } catch {
    return false
  }
}
