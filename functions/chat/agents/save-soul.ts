/** Name, personality and model of an agent: told to the agent first, then kept, so that both never disagree for long. */
import { type Agent, saveAgentSettings } from '../../database/agents.ts'
import type { HandlerPorts } from '../handling.ts'

/**
 * @throws {UserFacingError} when a running agent cannot be told: nothing was changed, and the owner may try again
 */
export async function saveSoul(
  agent: Pick<Agent, 'id' | 'status'>,
  soul: Partial<Pick<Agent, 'name' | 'prompt' | 'model'>>,
  { database, agent: reach, now }: Pick<HandlerPorts, 'database' | 'agent' | 'now'>,
): Promise<void> {
  // An agent that does not run gets its settings from the row when it is set up.
  if (agent.status === 'running') {
    const { prompt, ...rest } = soul
    await (await reach(agent.id)).configure({ ...rest, ...(prompt === undefined ? {} : { system_prompt: prompt }) })
  }
  await saveAgentSettings(database, agent.id, soul, now())
}
