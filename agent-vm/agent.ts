/**
 * The agent server put together: opens what it needs, wires the parts, serves, and takes all of it down in reverse. The entry
 * hands in the environment's configuration and the real tools, tests what they need instead.
 */
import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { openSchedules } from './background/schedules.ts'
import { createCallback } from './callback.ts'
import type { Config } from './config.ts'
import { type ConfigStore, createConfigStore } from './config-store.ts'
import { createWorkspaceFiles, defaultDatabasePath, ensureWorkspace } from './files.ts'
import { createChatCompactor } from './history/chat-compactor.ts'
import { createHistory } from './history/history.ts'
import { searchHistory } from './history/search.ts'
import { openHttpEdge } from './http-edge.ts'
import { describeError, type Log } from './log.ts'
import { contextTokensOf } from './model/model-limits.ts'
import type { ModelClient } from './model/model-port.ts'
import { chatHistoryId, createPendingStore } from './pending.ts'
import { type Database, openDatabase } from './storage/database.ts'
import { buildSystemPrompt } from './system-prompt.ts'
import type { ToolPorts, ToolRunner } from './tools/tool-runner.ts'
import {
  type BackgroundRequest,
  type BackgroundResult,
  type BackgroundTurns,
  createBackgroundTurns,
} from './turn/background-turns.ts'
import { Journal } from './turn/journal.ts'
import { saveLongMessage, visitorFolder } from './turn/long-message.ts'
import type { Turn } from './turn/turn.ts'
import type { LoopLimits } from './turn/turn-run.ts'
import { Turns } from './turn/turns.ts'

/** For running tools to end before the process does. */
const SHUTDOWN_GRACE_MS = 2000
const PRUNE_INTERVAL_MS = 6 * 3_600_000

/** What differs between a real agent and a test. */
export interface AgentParts {
  readonly model: ModelClient
  createTools(options: { workspacePath: string; dataDir: string; ports: ToolPorts }): Promise<ToolRunner>
  readMemory(workspacePath: string): Promise<string>
  readSkills(workspacePath: string): Promise<string>
  /** Heartbeat and schedules. `heartbeatInterval` is asked for anew each time: it can be changed while they run. */
  startBackground(options: {
    workspacePath: string
    dataDir: string
    heartbeatInterval: () => number
    runTurn: (request: BackgroundRequest) => Promise<BackgroundResult>
  }): { stop(): void; configChanged(): void }
}

export interface AgentOptions {
  readonly config: Config
  readonly version: string
  readonly log: Log
  readonly parts: AgentParts
}

export interface RunningAgent {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** @throws when the database is newer than this program, the port is taken, or the tools cannot start */
export async function startAgent({ config, version, log, parts }: AgentOptions): Promise<RunningAgent> {
  const workspacePath = resolve(config.WORKSPACE_PATH)
  const databasePath = resolve(config.DB_PATH ?? defaultDatabasePath(workspacePath))
  const database = openDatabase(databasePath)
  if (!(await ensureWorkspace(workspacePath))) log('warn', 'workspace_not_writable')
  const place = { workspacePath, dataDir: dirname(databasePath), database }
  const agent = await wire({ config, version, log, parts }, place)
  const { edge } = agent
  agent.turns.recover()
  agent.callback?.ping()
  const prune = () => {
    try {
      agent.prune(Date.now())
    } catch (error) {
      // Nothing is lost by keeping more; a full disk is told of when it matters.
      log('warn', 'prune_failed', { reason: describeError(error) })
    }
  }
  prune()
  const pruning = setInterval(prune, PRUNE_INTERVAL_MS)
  pruning.unref()
  return {
    url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${edge.port}`,
    port: edge.port,
    stop: async () => {
      clearInterval(pruning)
      agent.clock.stop()
      agent.callback?.stop()
      await agent.turns.shutDown(SHUTDOWN_GRACE_MS)
      await edge.close()
      await agent.tools.close()
      agent.schedules.close()
      database.close()
    },
  }
}

interface Place {
  readonly workspacePath: string
  readonly dataDir: string
  readonly database: Database
}

async function wire({ config, version, log, parts }: AgentOptions, { workspacePath, dataDir, database }: Place) {
  const store = createConfigStore(database, config)
  const pending = createPendingStore(database)
  const callback = config.CALLBACK_URL
    ? createCallback({ url: config.CALLBACK_URL, key: config.LIBERTAI_API_KEY, waiting: pending.waiting, log })
    : undefined
  const history = createHistory(database)
  const journal = new Journal(database, history, pending)
  const files = createWorkspaceFiles(workspacePath)
  const limits = buildLimits(config)
  const configuration = () => describeConfiguration(store, version)
  // The tools call back into the turns, and the turns run tools: the ports close over what is made next.
  const late: { background?: BackgroundTurns } = {}
  const tools = await parts.createTools({ workspacePath, dataDir, ports: buildToolPorts(database, late) })
  const turns = new Turns({
    model: parts.model,
    tools,
    history,
    limits,
    log,
    database,
    journal,
    pending,
    configuration,
    buildSystemPrompt: (turn) => describeAgent(turn, { store, tools, parts, workspacePath }),
    saveLongMessage: (turn) => saveLongMessage(turn, files, log),
    onPending: () => callback?.ping(),
  })
  const background = createBackgroundTurns(turns, journal, history)
  late.background = background
  const clock = parts.startBackground({
    workspacePath,
    dataDir,
    heartbeatInterval: () => (config.OWNER_CHAT_ID ? store.current().heartbeatInterval : 0),
    runTurn: background.run,
  })
  const schedules = openSchedules(dataDir)
  const edge = await openHttpEdge(config, {
    secret: config.AGENT_SECRET,
    turns,
    journal,
    history,
    pending,
    schedules,
    files,
    database,
    version,
    log,
    config: store,
    compactor: createChatCompactor({ history, model: parts.model, tools, log, limits, configuration, journal, turns }),
    onConfigChanged: () => clock.configChanged(),
  })
  const prune = (now: number) => {
    journal.prune(now)
    pending.prune(now)
  }
  return { edge, turns, tools, clock, callback, schedules, prune }
}

function buildLimits(config: Config): LoopLimits {
  const learned = new Map<string, number>()
  return {
    contextTokens: (model) =>
      Math.min(contextTokensOf(model, config.MAX_CONTEXT_TOKENS), learned.get(model) ?? Number.POSITIVE_INFINITY),
    learnContextTokens: (model, tokens) => learned.set(model, tokens),
    generationReserve: config.GENERATION_RESERVE,
    keepMessages: config.COMPACTION_KEEP_MESSAGES,
    maxIterations: config.MAX_TOOL_ITERATIONS,
    retryBaseMs: config.MODEL_RETRY_BASE_MS,
  }
}

function buildToolPorts(database: Database, late: { background?: BackgroundTurns }): ToolPorts {
  const background = () => {
    if (!late.background) throw new Error('a tool ran before the agent was ready')
    return late.background
  }
  return {
    spawnSubagent: async (task, context) => background().spawn(task, context),
    searchHistory: async (query, { chatId, user }, limit) =>
      searchHistory(database, chatHistoryId(chatId, user.role), query, limit),
    runScheduled: async (prompt, chatId, user) => {
      await background().run({ origin: 'schedule', prompt, task: prompt, chatId, user })
    },
  }
}

function describeConfiguration(store: ConfigStore, version: string) {
  const { name, model, systemPrompt } = store.current()
  const revision = createHash('sha256')
    .update(JSON.stringify([version, name, systemPrompt]))
    .digest('hex')
    .slice(0, 16)
  return { name, model, revision }
}

interface PromptSources {
  readonly store: ConfigStore
  readonly tools: ToolRunner
  readonly parts: Pick<AgentParts, 'readMemory' | 'readSkills'>
  readonly workspacePath: string
}

async function describeAgent(turn: Turn, { store, tools, parts, workspacePath }: PromptSources): Promise<string> {
  const { name, systemPrompt } = store.current()
  const { user } = turn.request
  const isOwner = user.role === 'owner'
  return buildSystemPrompt({
    name,
    purpose: systemPrompt,
    role: user.role,
    origin: turn.origin,
    toolNames: tools.definitions({ user, origin: turn.origin }).map((tool) => tool.name),
    workspacePath: isOwner ? workspacePath : `${workspacePath}/${visitorFolder(user.id)}`,
    memory: isOwner ? await parts.readMemory(workspacePath) : '',
    skills: isOwner ? await parts.readSkills(workspacePath) : '',
    day: new Date().toISOString().slice(0, 10),
  })
}
