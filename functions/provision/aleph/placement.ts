/** Where the scheduler has put an instance, and where its node forwards SSH. Both may be unknown for minutes, and may change. */
import { z } from 'zod'

const READ_LIMIT_MS = 15_000
const SSH_PORT = '22'

const Vm = z.object({ allocated_node: z.string().nullish(), status: z.string() })
const Node = z.object({ address: z.string().nullish() })
const Port = z.object({ host: z.int() })

/**
 * One entry of a node's `GET /v2/about/executions/list`. `networking` is `{}` until the instance has an interface. Of the ports
 * only SSH's is looked at.
 */
const Execution = z.object({
  networking: z
    .object({ host_ipv4: z.string().nullish(), mapped_ports: z.object({ [SSH_PORT]: Port.nullish() }).nullish() })
    .nullable(),
})

export type Placement =
  | { readonly kind: 'waiting'; readonly where: 'scheduler' }
  | { readonly kind: 'waiting'; readonly where: 'node'; readonly crnHash: string; readonly crnUrl: string }
  | { readonly kind: 'unschedulable' }
  | {
      readonly kind: 'placed'
      readonly crnHash: string
      readonly crnUrl: string
      readonly sshHost: string
      readonly sshPort: number
    }

/** @throws for a host that does not answer: ask again later */
export async function fetchPlacement(schedulerUrl: string, itemHash: string): Promise<Placement> {
  const vm = await get(new URL(`/api/v1/vms/${itemHash}`, schedulerUrl), Vm)
  if (vm?.status === 'unschedulable') return { kind: 'unschedulable' }
  if (!vm?.allocated_node) return { kind: 'waiting', where: 'scheduler' }
  const node = await get(new URL(`/api/v1/nodes/${vm.allocated_node}`, schedulerUrl), Node)
  if (!node?.address) return { kind: 'waiting', where: 'scheduler' }
  return fetchExecution({ hash: vm.allocated_node, url: node.address }, itemHash)
}

/** Whether a node runs an instance, and where it forwards SSH. */
export async function fetchExecution(
  crn: { readonly hash: string; readonly url: string },
  itemHash: string,
): Promise<Placement> {
  const executions = await get(new URL('/v2/about/executions/list', crn.url), z.record(z.string(), z.unknown()))
  const endpoint = sshEndpoint(executions?.[itemHash])
  const node = { crnHash: crn.hash, crnUrl: crn.url }
  return endpoint ? { kind: 'placed', ...node, ...endpoint } : { kind: 'waiting', where: 'node', ...node }
}

/** @returns `undefined` while nothing is forwarded yet; the port is never 22 on a node's own address */
export function sshEndpoint(entry: unknown): { sshHost: string; sshPort: number } | undefined {
  if (entry === undefined) return undefined
  const { networking } = Execution.parse(entry)
  const sshHost = networking?.host_ipv4
  const sshPort = networking?.mapped_ports?.[SSH_PORT]?.host
  return sshHost && sshPort ? { sshHost, sshPort } : undefined
}

async function get<S extends z.ZodType>(url: URL, schema: S): Promise<z.infer<S> | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(READ_LIMIT_MS) })
  if (response.status === 404) {
    await response.body?.cancel()
    return undefined
  }
  if (!response.ok) throw new Error(`${url.host} answered ${response.status}`)
  return schema.parse(await response.json())
}
