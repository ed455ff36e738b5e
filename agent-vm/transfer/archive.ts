/**
 * The agent as one `tar.gz`: `agent.json` (configuration without secrets), `history.jsonl` (one history or message a line),
 * `workspace/…`. Written by export, read by import; unknown fields are ignored so that old and new understand each other.
 */
import { z } from 'zod'
import type { ConfigStore } from '../config-store.ts'
import type { WorkspaceFiles } from '../files.ts'
import { ConfigUpdate } from '../protocol.ts'
import type { Database } from '../storage/database.ts'

export const ARCHIVE_FORMAT = 1
export const AGENT_ENTRY = 'agent.json'
export const HISTORY_ENTRY = 'history.jsonl'
export const WORKSPACE_PREFIX = 'workspace/'

export interface TransferPorts {
  readonly database: Database
  readonly config: ConfigStore
  readonly files: WorkspaceFiles
  readonly version: string
}

export const ArchivedAgent = z.object({
  format: z.literal(ARCHIVE_FORMAT),
  version: z.string(),
  exported_at: z.string(),
  config: ConfigUpdate.required(),
})

export const ArchivedHistory = z.object({
  kind: z.literal('history'),
  history_id: z.string(),
  chat_id: z.string(),
  summary: z.string(),
})
export const ArchivedMessage = z.object({
  kind: z.literal('message'),
  history_id: z.string(),
  turn_id: z.string(),
  role: z.enum(['user', 'assistant', 'tool']),
  body: z.string(),
  text: z.string(),
  compacted: z.int(),
  created_at: z.string(),
})
export const ArchivedLine = z.discriminatedUnion('kind', [ArchivedHistory, ArchivedMessage])

/** The archive cannot be taken; nothing was changed. The message may be shown. */
export class ArchiveRefused extends Error {
  readonly code = 'archive_refused'
}
