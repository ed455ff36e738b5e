/** Makes an agent: its row with sealed secrets. Safe to repeat for the same update: ids are the same, the first row stays. */
import { base64url } from 'jose'
import { createAgent } from '../../database/agents.ts'
import { isOfferedModel } from '../../models.ts'
import type { HandlerPorts } from '../handling.ts'
import { buildPrompt } from './default-prompt.ts'

const SECRET_BYTES = 32

export interface AgentWish {
  readonly name: string
  /** Empty: a helper for anything. */
  readonly purpose: string
  readonly model: string
  /** The whole personality, where it comes from another agent; the purpose does not count then. */
  readonly prompt?: string
}

export type Creation =
  | { readonly kind: 'created'; readonly agentId: string }
  | { readonly kind: 'limit_reached' }
  | { readonly kind: 'model_not_offered' }

export async function createAgentFor(
  ownerId: number,
  wish: AgentWish,
  { database, seal, config, ids, now }: Pick<HandlerPorts, 'database' | 'seal' | 'config' | 'ids' | 'now'>,
): Promise<Creation> {
  if (!isOfferedModel(wish.model)) return { kind: 'model_not_offered' }
  const id = ids('agent')
  const inferenceKey = `bk-${randomSecret()}`
  const [secretSealed, inferenceKeySealed, inferenceKeyHash] = await Promise.all([
    seal.seal(randomSecret(), { what: 'agent-secret', id }),
    seal.seal(inferenceKey, { what: 'inference-key', id }),
    sha256Hex(inferenceKey),
  ])
  const kind = await createAgent(
    database,
    {
      id,
      ownerId,
      name: wish.name,
      prompt: wish.prompt ?? buildPrompt(wish),
      model: wish.model,
      secretSealed,
      inferenceKeySealed,
      inferenceKeyHash,
      now: now(),
    },
    { maxAgents: config.MAX_AGENTS_PER_USER },
  )
  return kind === 'created' ? { kind, agentId: id } : { kind }
}

/** 32 bytes from the platform's generator, as base64url. */
export function randomSecret(bytes = SECRET_BYTES): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))
}

export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
