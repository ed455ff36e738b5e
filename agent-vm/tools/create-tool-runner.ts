/** The tools put together: what the turn loop calls. */

import { openSchedules } from '../background/schedules.ts'
import { describeError, type Log } from '../log.ts'
import { findLaunchFacts, type Launch, planLaunch, toolProcessEntry } from './process/launch.ts'
import { createToolProcess } from './process/tool-process-client.ts'
import type { SearchAccess, Session, Tool, ToolHost } from './tool.ts'
import { listTools } from './tool-list.ts'
import type { ToolCall, ToolContext, ToolDefinition, ToolPorts, ToolResult, ToolRunner } from './tool-runner.ts'

/** Without a call for so long a tool process ends and its memory is free; the next call waits for a start (about 50 ms). */
const IDLE_MS = 60_000
/** The processes beside it are seldom needed; the HTML libraries alone hold some 40 MB. */
const SECOND_IDLE_MS = 15_000

export interface ToolRunnerOptions {
  readonly workspacePath: string
  /** Name of the unprivileged user that tools run as. */
  readonly toolUser?: string | undefined
  /** Private folder of the server, outside the workspace. */
  readonly dataDir: string
  /** Absent: there is no `web_search`. */
  readonly search?: SearchAccess | undefined
  readonly ports: ToolPorts
  readonly log: Log
  /** After so long without a call the tool process ends. */
  readonly idleMs?: number
}

export interface LocalToolRunner extends ToolRunner {
  /** What separates the tools from the server, in one line for a person. */
  readonly confinement: string
  /** The tool process's id while there is one, for measurements. */
  readonly toolProcessId: number | undefined
}

/** @throws {ToolUserUnknown} {SchedulesTooNew} */
export async function createToolRunner(options: ToolRunnerOptions): Promise<LocalToolRunner> {
  const { workspacePath, dataDir, toolUser, search, ports, log, idleMs } = options
  const facts = findLaunchFacts(toolUser)
  const plan = (web: boolean) => planLaunch(facts, workspacePath, toolProcessEntry(import.meta.filename, { web }))
  const launch = plan(false)
  log(launch.separateUser ? 'info' : 'warn', 'tools_confinement', { confinement: launch.confinement })
  const start = (how: Launch, ms: number) =>
    createToolProcess({ launch: how, workspacePath, log, idleMs: Math.min(idleMs ?? IDLE_MS, ms) })
  const process = start(launch, IDLE_MS)
  const visitorProcess = start(launch, SECOND_IDLE_MS)
  const webProcess = start(plan(true), SECOND_IDLE_MS)
  const schedules = openSchedules(dataDir)
  const host: ToolHost = { process, visitorProcess, webProcess, ports, schedules, search }
  const tools = listTools({ search: search !== undefined })
  const byName = new Map(tools.map((tool) => [tool.definition.name, tool]))
  const definitionsOf = new Map<string, readonly ToolDefinition[]>()
  return {
    confinement: launch.confinement,
    get toolProcessId() {
      return process.pid
    },
    definitions: (session) => {
      const key = `${session.user.role} ${session.user.tools} ${session.origin}`
      const known = definitionsOf.get(key) ?? offered(tools, session)
      definitionsOf.set(key, known)
      return known
    },
    readsOnly: (name) => byName.get(name)?.readsOnly ?? false,
    run: (call, context) => runTool(byName.get(call.name), tools, call, context, host, log),
    close: async () => {
      await Promise.all([process.close(), visitorProcess.close(), webProcess.close()])
      schedules.close()
    },
  }
}

function offered(tools: readonly Tool[], session: Session): readonly ToolDefinition[] {
  return tools.filter((tool) => tool.serves(session)).map(({ definition }) => definition)
}

async function runTool(
  tool: Tool | undefined,
  tools: readonly Tool[],
  call: ToolCall,
  context: ToolContext,
  host: ToolHost,
  log: Log,
): Promise<ToolResult> {
  // What is not offered is not there: a visitor's model may well guess names.
  if (!tool?.serves(context)) {
    const names = offered(tools, context).map(({ name }) => name)
    const content = `Not run: there is no tool ${JSON.stringify(call.name.slice(0, 100))}. There are: ${names.join(', ')}.`
    return { ok: false, content, summary: 'unknown tool' }
  }
  try {
    return await tool.run(call.input, context, host)
  } catch (error) {
    log('error', 'tool_failed', { tool: call.name, turn: context.turnId, reason: describeError(error) })
    const content = `[${call.name} failed for a reason of its own; it may have run in part. Do not simply repeat it.]`
    return { ok: false, content, summary: `${call.name} failed` }
  }
}
