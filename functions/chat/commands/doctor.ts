/** /doctor: why an agent did not answer, and the button that helps. */

import type { InlineKeyboardButton } from 'grammy/types'
import { type Agent, findLastFailure } from '../../database/agents.ts'
import { messagesToday, millisecondsLeftToday } from '../../database/limits.ts'
import { isOfferedModel, MODELS } from '../../models.ts'
import { UserFacingError } from '../../user-facing-error.ts'
import { createProviderAccount } from '../agents/provider-account.ts'
import { shareOfDay } from '../agents/share-of-day.ts'
import { lookUp } from '../catalogue/catalogue.ts'
import { renderSpan } from '../catalogue/duration.ts'
import { join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, commandButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

interface Finding {
  readonly line: Phrase
  readonly fix?: InlineKeyboardButton
}

export function registerDoctor(router: Router): void {
  onAgentCommand(router, 'doctor', async (ctx, agent) => {
    const findings = [
      await examineMachine(ctx, agent),
      examineModel(ctx, agent),
      await examineBudget(ctx),
      await examineThinking(ctx, agent),
      ...(ctx.ports.turns.running()?.agentId === agent.id ? [{ line: ctx.words.doctor.busy }] : []),
      ...(await lastError(ctx, agent)),
    ]
    const fixes = findings.flatMap(({ fix }) => (fix ? [[fix]] : []))
    ctx.out.show(
      join([ctx.words.doctor.title({ agent: agent.name }), '', ...findings.map(({ line }) => line)], '\n'),
      fixes,
    )
  })
}

async function examineMachine({ ports, words }: BaalContext, agent: Agent): Promise<Finding> {
  const { doctor, buttons } = words
  if (agent.status === 'creating') return { line: doctor.created }
  if (agent.status === 'failed') {
    return { line: doctor.failed, fix: agentButton(buttons.retry, 'retry', agent.id) }
  }
  try {
    await (await ports.agent(agent.id)).health()
    return { line: doctor.machineOk }
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error
    return { line: doctor.machineSilent, fix: agentButton(buttons.repair, 'repair', agent.id) }
  }
}

function examineModel({ words }: BaalContext, agent: Agent): Finding {
  const model = MODELS.find(({ id }) => id === agent.model)?.label ?? agent.model
  if (isOfferedModel(agent.model)) return { line: words.doctor.modelOk({ model }) }
  return { line: words.doctor.modelGone({ model }), fix: agentButton(words.buttons.model, 'model', agent.id) }
}

async function examineBudget(ctx: BaalContext): Promise<Finding> {
  const { ports, user, words } = ctx
  const { doctor, buttons } = words
  if (user.apiKeySealed !== null) return examineOwnKey(ctx, user.apiKeySealed)
  const now = ports.now()
  const used = await messagesToday(ports.database, { userId: user.id, scope: 'user', now })
  const left = ports.config.FREE_TIER_DAILY_MESSAGES - used
  if (left > 0) return { line: doctor.budgetOk({ left }) }
  return {
    line: doctor.budgetUsed({ left: renderSpan(millisecondsLeftToday(now), words) }),
    fix: commandButton(buttons.useOwnKey, 'login'),
  }
}

async function examineOwnKey({ ports, user, words }: BaalContext, sealed: string): Promise<Finding> {
  const { doctor, buttons } = words
  const key = await ports.seal.open(sealed, { what: 'user-key', id: String(user.id) })
  const { kind } = await (ports.provider ?? createProviderAccount(ports.config)).check(key)
  if (kind === 'refused') return { line: doctor.keyRefused, fix: commandButton(buttons.useOwnKey, 'login') }
  return { line: kind === 'valid' ? doctor.budgetOwnKey : doctor.providerSilent }
}

/** What its model calls of today have used up, background work included. */
async function examineThinking({ ports, words }: BaalContext, agent: Agent): Promise<Finding> {
  const now = ports.now()
  const share = await shareOfDay(agent.id, { ...ports, now })
  if (share < 100) return { line: words.doctor.agentBudgetOk({ share }) }
  return { line: words.doctor.agentBudgetUsed({ left: renderSpan(millisecondsLeftToday(now), words) }) }
}

async function lastError({ ports, words }: BaalContext, agent: Agent): Promise<Finding[]> {
  const failure = await findLastFailure(ports.database, agent.id)
  if (!failure) return []
  const error = lookUp(words.deploy.errors, failure.code ?? 'internal') ?? failure.message
  return [{ line: words.doctor.lastError({ error: error ?? words.deploy.errors.internal }) }]
}
