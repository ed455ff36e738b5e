/** What provisioning says about deployments: the newest report of each, shown once. */
import { z } from 'zod'
import { describeError, log } from '../log.ts'
import type { ChatDatabase } from './chat-database.ts'
import type { BufferedStore } from './chat-store.ts'
import type { DeploymentReport } from './deployment-report.ts'
import type { DescribeDeployment, HandlerPorts } from './handling.ts'
import type { Outbox } from './outbox.ts'
import { isStaleIsolate } from './stale-isolate.ts'
import type { TurnStore } from './turn-store.ts'

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000
/** How a deployment ended is waited for: it outlives an outage of hours. */
const GIVE_UP_MS = 24 * 3_600_000

export interface ReportPorts {
  readonly database: ChatDatabase
  readonly outbox: Outbox
  readonly turns: TurnStore
  readonly describeDeployment: DescribeDeployment
  handlerPorts(cause: string): Promise<{ ports: HandlerPorts; store: BufferedStore }>
  onOutgoing(): void
  onTurn(): void
  now(): number
}

const Row = z.object({
  deployment_id: z.string(),
  payload: z.string(),
  received_at: z.int(),
  attempts: z.int(),
  next_at: z.int(),
})

export class Reports {
  readonly #ports: ReportPorts

  constructor(ports: ReportPorts) {
    this.#ports = ports
  }

  /** @returns false when a newer or the same report is known */
  add(report: DeploymentReport): boolean {
    const added = this.#ports.database.query(
      `INSERT INTO reports (deployment_id, seq, state, payload, received_at) VALUES (?, ?, 'open', ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, state = 'open', payload = excluded.payload, received_at = excluded.received_at, attempts = 0, next_at = 0
       WHERE excluded.seq > seq RETURNING seq`,
      report.deploymentId,
      report.seq,
      JSON.stringify(report),
      this.#ports.now(),
    )
    return added.length > 0
  }

  openCount(): number {
    const [row] = this.#ports.database.query("SELECT COUNT(*) AS n FROM reports WHERE state = 'open'")
    return z.int().parse(row?.n)
  }

  /** Lane `reports`. */
  async step(): Promise<'more' | number> {
    const { database, now } = this.#ports
    const [raw] = database.query("SELECT * FROM reports WHERE state = 'open' ORDER BY next_at, received_at LIMIT 1")
    if (!raw) return Number.POSITIVE_INFINITY
    const row = Row.parse(raw)
    if (row.next_at > now()) return row.next_at
    // Written by `add`.
    const report = JSON.parse(row.payload) as DeploymentReport
    try {
      await this.#show(report)
    } catch (error) {
      if (isStaleIsolate(error)) throw error
      log('error', 'report_failed', { deployment: row.deployment_id, error: describeError(error) })
      this.#retry(row, report)
    }
    return 'more'
  }

  prune(before: number): void {
    this.#ports.database.query("DELETE FROM reports WHERE state = 'done' AND received_at < ?", before)
  }

  async #show(report: DeploymentReport): Promise<void> {
    const { database, outbox, turns, now, onOutgoing, onTurn } = this.#ports
    const { deploymentId, seq } = report
    const { ports, store } = await this.#ports.handlerPorts(`d${deploymentId}:${seq}`)
    const { outgoing, turn } = await this.#ports.describeDeployment(report, ports)
    database.transaction(() => {
      store.flush()
      outgoing.forEach((action, index) => {
        outbox.add(`d:${deploymentId}:${seq}:${index}`, action, now())
      })
      if (turn) {
        const { source, ...input } = turn
        turns.add(`deploy-${deploymentId}`, { ...input, sources: source ? [source] : [] }, now())
      }
      this.#end(deploymentId, seq)
    })
    if (outgoing.length > 0) onOutgoing()
    if (turn) onTurn()
  }

  #retry({ attempts, received_at }: z.infer<typeof Row>, { deploymentId, seq }: DeploymentReport): void {
    if (this.#ports.now() - received_at >= GIVE_UP_MS) {
      this.#end(deploymentId, seq)
      return
    }
    this.#ports.database.query(
      'UPDATE reports SET attempts = attempts + 1, next_at = ? WHERE deployment_id = ? AND seq = ?',
      this.#ports.now() + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10)),
      deploymentId,
      seq,
    )
  }

  /** A newer report that came meanwhile stays open. */
  #end(deploymentId: string, seq: number): void {
    this.#ports.database.query(
      "UPDATE reports SET state = 'done' WHERE deployment_id = ? AND seq = ?",
      deploymentId,
      seq,
    )
  }
}
