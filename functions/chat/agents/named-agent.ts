/** An agent that a person means by its name: their own first, then those shared with them. */
import { listAgents } from '../../database/agents.ts'
import { listVisited } from '../../database/members.ts'
import type { BaalContext } from '../routing/baal-context.ts'

export async function findNamedAgent(
  { ports, user }: BaalContext,
  typed: string,
): Promise<{ readonly id: string; readonly name: string } | undefined> {
  const own = await listAgents(ports.database, user.id)
  const visited = await listVisited(ports.database, user.id)
  return [...own, ...visited].find(({ name }) => isSameName(name, typed))
}

export function isSameName(name: string, typed: string): boolean {
  return typed !== '' && name.toLowerCase() === typed.normalize('NFC').toLowerCase()
}
