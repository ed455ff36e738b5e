/**
 * An agent of one's own after another: personality, model and skills come along; memory, files, conversations and keys never
 * do. Asked of one's own agents, and of those whose owner allows it.
 */
import { z } from 'zod'
import type { Agent } from '../../database/agents.ts'
import { describeError, log } from '../../log.ts'
import { UserFacingError } from '../../user-facing-error.ts'
import type { AgentControl, HandlerPorts } from '../handling.ts'
import { findAccess } from './access.ts'

/** Where an agent keeps its skills: one folder each, with a `SKILL.md` and what belongs to it. */
const SKILLS = 'skills'
const MAX_SKILLS = 40
const MAX_FILES_PER_SKILL = 20
const MAX_FILE_BYTES = 256 * 1024

/** @returns `undefined` when this person may not copy it, or it is gone */
export async function findCopyable(
  agentId: string,
  userId: number,
  { database, now }: Pick<HandlerPorts, 'database' | 'now'>,
): Promise<Agent | undefined> {
  const access = await findAccess(database, { agentId, userId, now: now() })
  if (access.kind === 'owner') return access.agent
  return access.kind === 'visitor' && access.mayCopy ? access.agent : undefined
}

/** The skills follow when the copy runs: until then they are only noted. */
export function noteOriginal(store: HandlerPorts['store'], agentId: string, originalId: string): void {
  store.put(keyOf(agentId), originalId)
}

/** To be called when a new agent runs. @returns whether all skills there were to bring along are there now */
export async function bringSkills(agent: Pick<Agent, 'id' | 'ownerId'>, ports: HandlerPorts): Promise<boolean> {
  const originalId = ports.store.get(keyOf(agent.id), z.string())
  if (originalId === undefined) return true
  ports.store.delete(keyOf(agent.id))
  try {
    // Asked again: a link may have been closed since.
    if (!(await findCopyable(originalId, agent.ownerId, ports))) return false
    await copySkills(await ports.agent(originalId), await ports.agent(agent.id))
    return true
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error
    log('warn', 'skills_not_copied', { agent: agent.id, from: originalId, error: describeError(error) })
    return false
  }
}

async function copySkills(from: AgentControl, to: AgentControl): Promise<void> {
  const folders = (await from.listFiles('')).some(({ name, kind }) => name === SKILLS && kind === 'dir')
    ? (await from.listFiles(SKILLS)).filter(({ kind }) => kind === 'dir')
    : []
  for (const folder of folders.slice(0, MAX_SKILLS)) {
    const path = `${SKILLS}/${folder.name}`
    const files = (await from.listFiles(path)).filter(({ kind, bytes }) => kind === 'file' && bytes <= MAX_FILE_BYTES)
    for (const { name } of files.slice(0, MAX_FILES_PER_SKILL)) {
      const content = await from.readText(`${path}/${name}`, MAX_FILE_BYTES)
      if (content !== undefined) await to.writeText(`${path}/${name}`, content)
    }
  }
}

function keyOf(agentId: string): string {
  return `copy:${agentId}`
}
