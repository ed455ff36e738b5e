/**
 * A scripted `ToolRunner`: a few tools of which a test sees every call. `append` writes one line to a file and is what the kill
 * tests count.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ToolCall, ToolContext, ToolDefinition, ToolResult, ToolRunner } from './tool-runner.ts'

export interface FakeTools extends ToolRunner {
  readonly calls: (ToolCall & { readonly context: ToolContext })[]
}

type Run = (input: Record<string, unknown>, context: ToolContext) => Promise<ToolResult> | ToolResult

interface FakeTool {
  readonly definition: ToolDefinition
  readonly reads: boolean
  readonly run: Run
}

const Input = z.record(z.string(), z.unknown())

export function createFakeTools(workspacePath: string, extra: readonly FakeTool[] = []): FakeTools {
  const calls: FakeTools['calls'] = []
  const tools = [...builtIn(workspacePath), ...extra]
  return {
    calls,
    definitions: ({ user }) =>
      (user.role === 'visitor' ? tools.slice(0, 1) : tools).map(({ definition }) => definition),
    readsOnly: (name) => tools.find(({ definition }) => definition.name === name)?.reads ?? false,
    run: async (call, context) => {
      calls.push({ ...call, context })
      const tool = tools.find(({ definition }) => definition.name === call.name)
      if (!tool) return { ok: false, content: 'no such tool', summary: 'no such tool' }
      return tool.run(Input.parse(call.input), context)
    },
    close: async () => undefined,
  }
}

export function fakeTool(name: string, reads: boolean, parameters: Record<string, unknown>, run: Run): FakeTool {
  return {
    definition: { name, description: `The tool ${name}.`, parameters: objectSchema(parameters) },
    reads,
    run,
  }
}

function builtIn(workspacePath: string): FakeTool[] {
  const path = (input: Record<string, unknown>) => join(workspacePath, String(input.path))
  return [
    fakeTool('read_file', true, { path: { type: 'string' } }, (input) => readText(path(input))),
    fakeTool('append', false, { path: { type: 'string' }, line: { type: 'string' } }, (input) => {
      appendFileSync(path(input), `${String(input.line)}\n`)
      return done(`appended ${String(input.line)}`)
    }),
    // Slow before and after the write, so that a kill can come at either side of it.
    fakeTool('append_slowly', false, { path: { type: 'string' }, line: { type: 'string' } }, async (input) => {
      await sleep(5)
      appendFileSync(path(input), `${String(input.line)}\n`)
      await sleep(5)
      return done(`appended ${String(input.line)}`)
    }),
    fakeTool('wait', true, { ms: { type: 'integer' } }, async (input, { signal }) => {
      const finished = await sleep(Number(input.ms), true, { signal }).catch(() => false)
      return finished ? done(`waited ${Number(input.ms)}`) : { ok: false, content: 'stopped', summary: 'stopped' }
    }),
    fakeTool('send_file', false, { path: { type: 'string' } }, (input) => ({
      ...done('sent'),
      files: [{ path: String(input.path), caption: 'here it is' }],
    })),
  ]
}

function done(content: string): ToolResult {
  return { ok: true, content, summary: content.slice(0, 60) }
}

function readText(path: string): ToolResult {
  try {
    return done(readFileSync(path, 'utf8'))
  } catch {
    return { ok: false, content: 'there is no such file', summary: 'not found' }
  }
}

function objectSchema(properties: Record<string, unknown>): Record<string, unknown> {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}
