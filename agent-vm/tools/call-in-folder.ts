/**
 * Calls the file tools: confined to the session's folder, and for visitors in a process that the owner does not share. What a
 * visitor's pattern can do at worst (hang, fill the memory) ends with that process.
 */
import { visitorFolder } from '../turn/long-message.ts'
import type { OperationInput, OperationName } from './process/wire.ts'
import type { ToolHost } from './tool.ts'
import type { ToolContext, ToolResult } from './tool-runner.ts'

export function callInFolder<Name extends OperationName>(
  operation: Name,
  input: OperationInput<Name>,
  { user, signal }: ToolContext,
  { process, visitorProcess }: ToolHost,
): Promise<ToolResult> {
  if (user.role === 'owner') return process.call({ operation, input, folder: '', signal })
  return visitorProcess.call({ operation, input, folder: visitorFolder(user.id), signal })
}
