/** Name, personality and model of an agent: told to the agent first, then kept, so that both never disagree for long. */
import { type Agent, saveAgentSettings } from '../../database/agents.ts'
import type { HandlerPorts } from '../handling.ts'
import { renamePrompt } from './default-prompt.ts'

/**
 * @throws {UserFacingError} when a running agent cannot be told: nothing was changed, and the owner may try again
 */
export async function saveSoul(
  agent: Pick<Agent, 'id' | 'status' | 'name' | 'prompt'>,
  wanted: Partial<Pick<Agent, 'name' | 'prompt' | 'model'>>,
  { database, agent: reach, now }: Pick<HandlerPorts, 'database' | 'agent' | 'now'>,
): Promise<void> {
  const soul = { ...wanted, ...followName(agent, wanted) }
  // An agent that does not run gets its settings from the row when it is set up.
  if (agent.status === 'running') {
    const { prompt, ...rest } = soul
    await (await reach(agent.id)).configure({ ...rest, ...(prompt === undefined ? {} : { system_prompt: prompt }) })
  }
  await saveAgentSettings(database, agent.id, soul, now())
}

/** Or its own instructions would go on calling it by the former name. */
function followName(
  agent: Pick<Agent, 'name' | 'prompt'>,
  { name, prompt }: Partial<Pick<Agent, 'name' | 'prompt'>>,
): { prompt?: string } {
  if (name === undefined || prompt !== undefined) return {}
  const renamed = renamePrompt(agent.prompt, { from: agent.name, to: name })
  return renamed === agent.prompt ? {} : { prompt: renamed }
}
