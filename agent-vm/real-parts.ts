/** The parts of an agent on a real machine: its model server, its tools, its files. */
import type { AgentParts } from './agent.ts'
import { startBackground } from './background/background.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import { readMemorySnapshot } from './memory/memory-snapshot.ts'
import { createOpenAiClient } from './model/openai-client.ts'
import { readSkillSummaries } from './skills/skill-summaries.ts'
import { createToolRunner } from './tools/create-tool-runner.ts'

export function realParts(config: Config, log: Log): AgentParts {
  return {
    model: createOpenAiClient({
      baseUrl: config.LIBERTAI_BASE_URL,
      apiKey: config.LIBERTAI_API_KEY,
      firstTokenTimeoutMs: config.MODEL_FIRST_TOKEN_TIMEOUT_MS,
      idleTimeoutMs: config.MODEL_IDLE_TIMEOUT_MS,
    }),
    createTools: (options) =>
      createToolRunner({
        ...options,
        ...(config.TOOL_USER && { toolUser: config.TOOL_USER }),
        ...(config.CALLBACK_URL && {
          search: { url: new URL('/v1/search', config.CALLBACK_URL).href, key: config.LIBERTAI_API_KEY },
        }),
        log,
      }),
    readMemory: readMemorySnapshot,
    readSkills: readSkillSummaries,
    startBackground: (options) => startBackground({ ...options, config, log }),
  }
}
