/**
 * The line between delivery (inbox, turns, outbox: the chat object) and what Baal says and does (commands, wizard, buttons).
 *
 * `HandleUpdate` decides; it never calls Telegram. It may run twice for the same update after a crash, so what it writes to
 * the database must be safe to repeat (ids come from `ids`, which gives the same ids for the same update).
 */
import type { Message, Update, UserFromGetMe } from 'grammy/types'
import type { z } from 'zod'
import type { AgentEvent, ConfigUpdate, FileEntry, VisitorTools } from '../../agent-vm/protocol.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { Seal } from '../seal.ts'
import type { DeploymentReport } from './deployment-report.ts'
import type { Keyboard, Outgoing } from './outgoing.ts'
import type { FormattedText } from './text/formatted-text.ts'

export interface ChatIdentity {
  /** Name of the chat object: `<bot id>:<chat id>` or `<bot id>:<chat id>:<thread id>`. */
  readonly name: string
  readonly botId: number
  readonly chatId: number
  readonly threadId?: number
  readonly kind: 'private' | 'group'
}

/** Small values of this chat (wizard, current agent, …). Writes become durable together with the outgoing messages. */
export interface ChatStore {
  get<S extends z.ZodType>(key: string, schema: S): z.infer<S> | undefined
  put(key: string, value: unknown): void
  delete(key: string): void
}

export interface TurnControl {
  /** The agent whose turn runs in this chat now. */
  running(): { readonly agentId: string; readonly turnId: string } | undefined
  /** Stops the running turn and drops queued chat text. @returns whether something was stopped */
  stop(): Promise<boolean>
  /** The last turns' steps, for the "Steps" view. */
  steps(turnId: string): readonly Extract<AgentEvent, { type: 'tool_use' | 'tool_result' }>[]
  /** The newest turn that has begun, of one person where that is asked. */
  last(of: { readonly agentId: string; readonly userId?: number }): string | undefined
  /** What was asked in an earlier turn, to be returned as `turn` once more, `retryOf` too; `undefined` when it is too long ago. */
  retry(turnId: string): TurnInput | undefined
}

/** The agent server's side routes; turns themselves are run by the chat object. */
export interface AgentControl {
  clear(): Promise<{ deleted: number }>
  compact(): Promise<{ compacted: boolean; notice?: string | undefined }>
  configure(update: ConfigUpdate): Promise<void>
  health(): Promise<{ version: string; model: string; uptimeS: number; turnsRunning: number }>
  /** What lies in a folder of the workspace; `''` is its top. */
  listFiles(dir: string): Promise<readonly FileEntry[]>
  /** @returns `undefined` where there is no such file; at most the first `maxBytes` bytes of it */
  readText(path: string, maxBytes: number): Promise<string | undefined>
  writeText(path: string, content: string): Promise<void>
  /** What is planned in this chat, the next first. */
  schedules(): Promise<readonly { readonly id: number; readonly prompt: string; readonly when: string }[]>
  /** @returns false when it is not planned any more */
  cancelSchedule(id: number): Promise<boolean>
  /** The agent becomes what an exported file of this chat holds. */
  importFile(fileId: string): Promise<Import>
}

export type Import =
  | {
      readonly kind: 'done'
      readonly files: number
      readonly messages: number
      /** What the agent is from now on. */
      readonly soul: { readonly name: string; readonly prompt: string; readonly model: string }
    }
  /** `reason` is the agent server's word for it. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'too_large' }

/** What a topic of a group asks and tells the group. */
export interface TopicGroup {
  /** Name of the group's chat object. */
  readonly name: string
  /** The agent that a new topic begins with, and who brought it. */
  agent(): Promise<{ readonly agentId: string; readonly chosenBy: number } | undefined>
  brought(current: { readonly agentId: string; readonly chosenBy: number }): Promise<void>
  sentAway(agentId: string): Promise<void>
}

/** What the model provider says about a person's own key. */
export interface ProviderAccount {
  /** @returns `balance` in the provider's credits, where it tells */
  check(
    key: string,
  ): Promise<
    | { readonly kind: 'valid'; readonly balance?: number }
    | { readonly kind: 'refused' }
    | { readonly kind: 'unreachable' }
  >
}

export interface HandlerPorts {
  readonly chat: ChatIdentity
  readonly bot: UserFromGetMe
  readonly config: Config
  readonly database: Database
  readonly seal: Seal
  readonly store: ChatStore
  readonly turns: TurnControl
  /** Only in a topic of a group. */
  readonly group?: TopicGroup | undefined
  /** Sends the newest message again whose arrival could not be established. @returns false when there is none */
  resend(): boolean
  /** @throws {UserFacingError} when the agent has no address yet */
  agent(agentId: string): Promise<AgentControl>
  /**
   * Says something in another person's private chat. Written into that chat's outbox before it resolves; the same `key` says
   * it once.
   */
  tell(
    userId: number,
    note: { readonly key: string; readonly text: FormattedText; readonly keyboard?: Keyboard },
  ): Promise<void>
  /** Starts (or finds, for the same ids) the Workflow of a deployment. */
  startDeployment(request: {
    deploymentId: string
    agentId: string
    kind: 'create' | 'repair' | 'update' | 'destroy'
  }): Promise<void>
  /** Random-looking ids that are the same when the same update is handled again: `ids('agent')`, 16 characters [a-z0-9]. */
  ids(purpose: string): string
  now(): number
  /** Absent: the provider of the configuration is asked. */
  readonly provider?: ProviderAccount
}

export type Handling = {
  readonly outgoing: readonly Outgoing[]
  /** Text of the toast; answered once, within a second, also when absent. */
  readonly answer?: { readonly text: string; readonly alert?: boolean }
  /** The update is for the agent: run a turn with this message (or steer it into the running one). */
  readonly turn?: TurnInput
}

export interface TurnInput {
  readonly agentId: string
  readonly user: {
    readonly id: number
    readonly name: string
    readonly role: 'owner' | 'visitor'
    /** Of a visitor: what their link allows. */
    readonly tools?: VisitorTools
    /** IANA name, where the person has set it. */
    readonly timezone?: string
  }
  /** What the agent is told; empty when only `source` with media is meant. */
  readonly message: string
  /** The Telegram message it came from: for replies, reactions and media. */
  readonly source?: Message
  /** All messages it was gathered from, when an earlier turn is asked again. Otherwise delivery knows them. */
  readonly sources?: readonly Message[]
  /** The earlier turn that is asked again: delivery knows what became of it, and what was said while it ran. */
  readonly retryOf?: string
  /** The person asked not to see tool activity. */
  readonly quiet?: boolean
  /** The person's app shows rich messages: where they show more than text can, or always. */
  readonly rich?: 'auto' | 'always'
}

export type HandleUpdate = (update: Update, ports: HandlerPorts) => Promise<Handling>

/**
 * Which lane an update takes. `control` is handled at once, also while a turn runs (commands, buttons, wizard text);
 * `turn` waits for its place in the chat's order.
 */
export type ClassifyUpdate = (
  update: Update,
  ports: Pick<HandlerPorts, 'store' | 'bot' | 'chat'>,
) => 'control' | 'turn' | 'ignore'

/** What a deployment report looks like in the chat: an edit of its one progress message, or the final words. */
export type DescribeDeployment = (report: DeploymentReport, ports: HandlerPorts) => Promise<Handling>
