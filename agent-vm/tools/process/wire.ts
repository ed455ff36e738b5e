/**
 * What the server and its tool process say to each other: one JSON object per line, requests on the process's standard input,
 * answers on its standard output. Types only: the tool process carries no schema library, and the server parses what it gets.
 */
import type { Operations } from '../confined/operations.ts'
import type { ToolResult } from '../tool-runner.ts'

export type OperationName = keyof Operations

/** The input of an operation, as the tool's schema left it. */
export type OperationInput<Name extends OperationName> = Parameters<Operations[Name]>[0]

export type ToolProcessRequest =
  | {
      readonly kind: 'call'
      /** Also the mark that every process of this call carries in its environment. */
      readonly id: string
      readonly operation: OperationName
      readonly input: unknown
      /** Folder inside the workspace that this call may not leave; empty is the whole workspace. */
      readonly folder: string
    }
  | { readonly kind: 'cancel'; readonly id: string }
  /** Calls of a predecessor that died: whatever they left running is to be ended. */
  | { readonly kind: 'reap'; readonly ids: readonly string[] }

export type ToolProcessAnswer =
  | ({ readonly kind: 'result'; readonly id: string } & ToolResult)
  /** What the call started is being ended; its result follows when none of it is left. */
  | { readonly kind: 'ending'; readonly id: string }

/** Longest line either side takes: a file at the limit of `write_file`, JSON-escaped. */
export const MAX_LINE_CHARS = 16 * 1024 * 1024

/** Variable that marks the processes of a call. */
export const CALL_MARK = 'BAAL_CALL'
