/** The folder a session's file tools are confined to. */
import { visitorFolder } from '../turn/long-message.ts'
import type { Session } from './tool.ts'

/** Empty: the whole workspace. */
export function sessionFolder({ user }: Session): string {
  return user.role === 'owner' ? '' : visitorFolder(user.id)
}
