/** A tool: what the model is told of it, who may use it, and how a checked input is run. */
import { z } from 'zod'
import type { Schedules } from '../background/schedules.ts'
import type { ToolProcess } from './process/tool-process-client.ts'
import type { ToolContext, ToolDefinition, ToolPorts, ToolResult } from './tool-runner.ts'

export type Session = Pick<ToolContext, 'user' | 'origin'>

/** What tools work with. */
export interface ToolHost {
  readonly process: ToolProcess
  /** Apart, so that nothing of a visitor's holds the owner up. */
  readonly visitorProcess: ToolProcess
  /** Apart, so that what reads hostile pages holds no one else up and its memory is soon free again. */
  readonly webProcess: ToolProcess
  readonly ports: ToolPorts
  readonly schedules: Schedules
  readonly search?: SearchAccess | undefined
}

/** Where web searches go. */
export interface SearchAccess {
  readonly url: string
  readonly key: string
}

export interface Tool {
  readonly definition: ToolDefinition
  readonly readsOnly: boolean
  serves(session: Session): boolean
  run(input: unknown, context: ToolContext, host: ToolHost): Promise<ToolResult>
}

interface ToolSpecification<Schema extends z.ZodObject> {
  readonly name: string
  readonly description: string
  readonly input: Schema
  readonly readsOnly: boolean
  readonly serves: (session: Session) => boolean
  readonly run: (input: z.output<Schema>, context: ToolContext, host: ToolHost) => Promise<ToolResult>
}

export function defineTool<Schema extends z.ZodObject>(specification: ToolSpecification<Schema>): Tool {
  const { name, description, input: schema, readsOnly, serves, run } = specification
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' })
  return {
    definition: { name, description, parameters },
    readsOnly,
    serves,
    run: async (input, context, host) => {
      const parsed = schema.safeParse(input)
      return parsed.success ? run(parsed.data, context, host) : refuseInput(name, parsed.error, parameters)
    },
  }
}

function refuseInput(name: string, error: z.ZodError, parameters: unknown): ToolResult {
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ')
  const content = `Not run: the input of ${name} is not valid. ${problems}\nIt must match this schema: ${JSON.stringify(parameters)}`
  return { ok: false, content, summary: `${name}: invalid input` }
}

/** The owner, and visitors who may use the web. */
export const onTheWeb = ({ user }: Session): boolean =>
  user.role === 'owner' || user.tools === 'web' || user.tools === 'workspace'
/** The owner, and visitors who have a folder of their own to work in. */
export const withFiles = ({ user }: Session): boolean => user.role === 'owner' || user.tools === 'workspace'
export const ownerOnly = ({ user }: Session): boolean => user.role === 'owner'
