/** Every route of the agent server. */
import { type AgentRoutePorts, agentRoutes } from './agent.ts'
import { type ChatRoutePorts, chatRoutes } from './chat.ts'
import { type FileRoutePorts, fileRoutes } from './files.ts'
import { healthRoutes } from './health.ts'
import { type PendingRoutePorts, pendingRoutes } from './pending.ts'
import type { Route } from './route.ts'
import { type ScheduleRoutePorts, scheduleRoutes } from './schedules.ts'
import { type TransferRoutePorts, transferRoutes } from './transfer.ts'

export interface RoutePorts
  extends AgentRoutePorts,
    ChatRoutePorts,
    FileRoutePorts,
    PendingRoutePorts,
    ScheduleRoutePorts,
    TransferRoutePorts {}

/** What anyone may ask for. */
export function openRoutes(ports: RoutePorts): Route[] {
  return healthRoutes(ports)
}

/** What only who has the secret may. */
export function guardedRoutes(ports: RoutePorts): Route[] {
  return [
    ...chatRoutes(ports),
    ...pendingRoutes(ports),
    ...scheduleRoutes(ports),
    ...fileRoutes(ports),
    ...agentRoutes(ports),
    ...transferRoutes(ports),
  ]
}
