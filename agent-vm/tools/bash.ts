/** Shell commands on the agent's machine; the owner's alone: files of different people are told apart by path only. */
import { z } from 'zod'
import { findDenied } from './denied-commands.ts'
import { defineTool, ownerOnly } from './tool.ts'

const DEFAULT_TIMEOUT_S = 120
export const MAX_TIMEOUT_S = 600
/** On top of the command's own limit, for ending it and reading what it wrote. */
const DEADLINE_SLACK_MS = 5000

export const bash = defineTool({
  name: 'bash',
  description: `Run a bash command in the workspace folder and get its output (stdout and stderr together) and exit code. Each call is a new shell: cd and variables do not carry over. No terminal, no input, no root. Long output is cut in the middle; the whole is then in a file that the result names. For servers and other long jobs use \`nohup … > log 2>&1 &\`. Prefer the file tools for reading and editing files.`,
  input: z.object({
    command: z.string().min(1).max(100_000).describe('The command; may have several lines.'),
    timeout_s: z
      .number()
      .min(1)
      .max(MAX_TIMEOUT_S)
      .default(DEFAULT_TIMEOUT_S)
      .describe('Seconds after which it is ended.'),
  }),
  readsOnly: false,
  serves: ownerOnly,
  run: async (input, { signal }, host) => {
    const denied = findDenied(input.command)
    if (denied) {
      const content = `Refused and not run: ${denied} is not allowed here. Do it another way, or tell the person what you would need.`
      return { ok: false, content, summary: `refused: ${denied}` }
    }
    const deadlineMs = input.timeout_s * 1000 + DEADLINE_SLACK_MS
    return host.process.call({ operation: 'bash', input, folder: '', signal, deadlineMs })
  },
})
