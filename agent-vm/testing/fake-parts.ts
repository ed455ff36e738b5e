/** Parts of an agent for tests: a real client against a fake model server, fake tools, no clock. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentParts } from '../agent.ts'
import type { Config } from '../config.ts'
import { createOpenAiClient } from '../model/openai-client.ts'
import { createFakeTools } from '../tools/tool-runner.fake.ts'

export function fakeParts(config: Config): AgentParts {
  return {
    model: createOpenAiClient({
      baseUrl: config.LIBERTAI_BASE_URL,
      apiKey: config.LIBERTAI_API_KEY,
      firstTokenTimeoutMs: config.MODEL_FIRST_TOKEN_TIMEOUT_MS,
      idleTimeoutMs: config.MODEL_IDLE_TIMEOUT_MS,
    }),
    createTools: async ({ workspacePath }) => createFakeTools(workspacePath),
    readMemory: (workspacePath) => readFile(join(workspacePath, 'memory', 'MEMORY.md'), 'utf8').catch(() => ''),
    readSkills: async () => '',
    startBackground: () => ({ stop: () => undefined, configChanged: () => undefined }),
  }
}
