/** A message too long for the model becomes a file in the workspace, where the tools can read it piece by piece. */
import { Readable } from 'node:stream'
import type { WorkspaceFiles } from '../files.ts'
import { describeError, type Log } from '../log.ts'
import type { Turn } from './turn.ts'

export async function saveLongMessage(turn: Turn, files: WorkspaceFiles, log: Log): Promise<string | undefined> {
  const folder = turn.request.user.role === 'visitor' ? `${visitorFolder(turn.request.user.id)}/uploads` : 'uploads'
  const path = `${folder}/message-${turn.turnId.replace(/[^\w-]/g, '-')}.txt`
  try {
    await files.write(path, Readable.from([turn.request.message]))
    return path
  } catch (error) {
    log('warn', 'long_message_not_kept', { turn: turn.turnId, reason: describeError(error) })
    return undefined
  }
}

/** Where everything of one visitor lies; their tools see nothing else. */
export function visitorFolder(userId: string): string {
  return `visitors/${userId.replace(/[^\w-]/g, '_')}`
}
