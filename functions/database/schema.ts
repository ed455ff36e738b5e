/**
 * Tables shared by the whole Worker. Per-chat state (inbox, outbox, wizard, turn) lives in the chat's own Durable Object.
 *
 * Migrations only add until the next release. Times are milliseconds since 1970. Telegram ids are integers below 2^53.
 */
import { index, integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable('users', {
  /** Telegram's user id. */
  id: integer().primaryKey(),
  firstName: text().notNull().default(''),
  /** IETF tag as Telegram sends it; `languageOverride` is what the person chose. */
  languageCode: text(),
  languageOverride: text(),
  timezone: text(),
  /** 1: tool activity is hidden. */
  quiet: integer().notNull().default(0),
  /** Rich messages instead of text: not every app shows them, so only who has seen one gets them. */
  richText: text({ enum: ['never', 'auto', 'always'] })
    .notNull()
    .default('never'),
  /** The person's own LibertAI key, sealed (see `seal.ts`). */
  apiKeySealed: text(),
  /** The person wants nothing of themselves kept: set until the last row is gone, with this one. */
  forgetAt: integer(),
  createdAt: integer().notNull(),
})

/** Where somebody has written: their words and ours lie in the objects of these chats. */
export const personChats = sqliteTable(
  'person_chats',
  { userId: integer().notNull(), chatName: text().notNull() },
  (table) => [primaryKey({ columns: [table.userId, table.chatName] })],
)

export const agents = sqliteTable(
  'agents',
  {
    /** Random, never sequential: ids appear in links and buttons. */
    id: text().primaryKey(),
    ownerId: integer().notNull(),
    name: text().notNull(),
    prompt: text().notNull(),
    model: text().notNull(),
    status: text({ enum: ['creating', 'running', 'failed', 'deleting', 'deleted'] }).notNull(),
    machineId: text(),
    /** Base address of the agent server, e.g. `https://piano-worry-either-lamp.2n6.me`. */
    url: text(),
    /** `AGENT_SECRET`, sealed. */
    secretSealed: text().notNull(),
    /** The scoped inference key: sealed for deployment, and its SHA-256 (hex) to find the agent by it. */
    inferenceKeySealed: text().notNull(),
    inferenceKeyHash: text().notNull().unique(),
    version: text(),
    /** Name, prompt and model (JSON) that it last ran well with: what an update goes back to. */
    deployedSettings: text(),
    /** When its state was last put aside, for a machine that dies. */
    snapshotAt: integer(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [index('agents_by_owner').on(table.ownerId, table.status)],
)

/** A way for others to reach an agent. The token itself is sealed so that the owner can see the link again. */
export const links = sqliteTable(
  'links',
  {
    id: text().primaryKey(),
    agentId: text().notNull(),
    tokenHash: text().notNull().unique(),
    tokenSealed: text().notNull(),
    expiresAt: integer(),
    maxPeople: integer(),
    messagesPerDay: integer(),
    /** What the visitors' turns may use; see `VisitorTools` of the agent server. */
    tools: text({ enum: ['chat', 'web', 'workspace'] })
      .notNull()
      .default('web'),
    /** 1: the owner lets each person in. */
    needsApproval: integer().notNull().default(0),
    /** 1: visitors may make an agent of their own with the same personality and skills. */
    allowsCopy: integer().notNull().default(0),
    /** Since when nobody gets through; taken back by the owner. */
    pausedAt: integer(),
    revokedAt: integer(),
    createdAt: integer().notNull(),
  },
  (table) => [index('links_by_agent').on(table.agentId)],
)

export const agentMembers = sqliteTable(
  'agent_members',
  {
    agentId: text().notNull(),
    userId: integer().notNull(),
    /** `waiting`: came by a link and is not let in yet. */
    role: text({ enum: ['owner', 'visitor', 'blocked', 'waiting'] }).notNull(),
    linkId: text(),
    joinedAt: integer().notNull(),
    lastMessageAt: integer(),
  },
  (table) => [primaryKey({ columns: [table.agentId, table.userId] }), index('members_by_user').on(table.userId)],
)

/** What SSH reaches and what is paid for. A row exists before the instance and until it is confirmed gone. */
export const machines = sqliteTable(
  'machines',
  {
    id: text().primaryKey(),
    kind: text({ enum: ['aleph', 'ssh'] }).notNull(),
    /** Unique `metadata.name` of the Aleph message: finds an instance whose creation answer was lost. */
    name: text().notNull().unique(),
    itemHash: text().unique(),
    state: text({
      enum: ['recorded', 'created', 'placed', 'preparing', 'warm', 'claimed', 'in_use', 'failed', 'destroying', 'gone'],
    }).notNull(),
    /** Whose it is; set by one compare-and-set from `warm` to `claimed`. */
    agentId: text(),
    crnHash: text(),
    crnUrl: text(),
    sshHost: text(),
    sshPort: integer(),
    sshUser: text().notNull().default('root'),
    hostKey: text(),
    /** Public base address of whatever listens for the agent. */
    url: text(),
    /** Code of the last thing that went wrong with it, and when; kept after it is gone, to know bad nodes by. */
    failure: text(),
    failedAt: integer(),
    /** When its order may first have reached the network. */
    orderedAt: integer(),
    /** 1: the account's port-forwarding aggregate has an entry for it. */
    portsForwarded: integer().notNull().default(0),
    /** What it costs, as the network said when it was ordered. */
    creditsPerDay: integer(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    goneAt: integer(),
  },
  (table) => [index('machines_by_state').on(table.state), index('machines_by_agent').on(table.agentId)],
)

/** One update of all agents: a few first, the others in batches, stopped by the first that does not come up. */
export const rollouts = sqliteTable('rollouts', {
  id: text().primaryKey(),
  status: text({ enum: ['running', 'done', 'stopped'] }).notNull(),
  startedBy: integer().notNull(),
  total: integer().notNull().default(0),
  updated: integer().notNull().default(0),
  /** The agent that stopped it, and why. */
  failedAgentId: text(),
  error: text(),
  createdAt: integer().notNull(),
  updatedAt: integer().notNull(),
})

export const deployments = sqliteTable(
  'deployments',
  {
    id: text().primaryKey(),
    agentId: text().notNull(),
    machineId: text(),
    kind: text({ enum: ['create', 'repair', 'update', 'destroy'] }).notNull(),
    status: text({ enum: ['running', 'done', 'failed'] }).notNull(),
    step: text().notNull().default('queued'),
    /** Name of the chat object that shows the progress. */
    chatName: text(),
    errorCode: text(),
    error: text(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
  },
  (table) => [
    index('deployments_by_agent').on(table.agentId),
    index('deployments_by_status').on(table.status, table.updatedAt),
  ],
)

/** Model use, one row per agent, UTC day (`YYYY-MM-DD`; after 90 days the month, `YYYY-MM`) and model. */
export const usage = sqliteTable(
  'usage',
  {
    agentId: text().notNull(),
    day: text().notNull(),
    model: text().notNull(),
    requests: integer().notNull().default(0),
    promptTokens: integer().notNull().default(0),
    cachedTokens: integer().notNull().default(0),
    completionTokens: integer().notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.agentId, table.day, table.model] })],
)

/**
 * Messages that count against a daily limit. `scope` is `user` for the free tier or `agent:<id>` for a link's cap; in a row
 * `last:<chat name>`, `count` is the update that was counted last, so that none is counted twice.
 */
export const messageCounts = sqliteTable(
  'message_counts',
  {
    userId: integer().notNull(),
    scope: text().notNull(),
    day: text().notNull(),
    count: integer().notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.userId, table.scope, table.day] })],
)

/**
 * Counters for whoever runs this, one row per UTC day, name and labels; days that are long over are folded into day `''`. Counts
 * of an isolate that dies before it writes them are lost: no ledger, and nothing decides by them.
 */
export const metrics = sqliteTable(
  'metrics',
  {
    day: text().notNull(),
    name: text().notNull(),
    /** As Prometheus writes them, sorted: `model="glm-4.7",result="ok"`. */
    labels: text().notNull(),
    value: real().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.name, table.labels] })],
)
