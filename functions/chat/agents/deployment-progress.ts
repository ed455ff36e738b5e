/**
 * A deployment in the chat: one message, edited in place, with a bar, the elapsed time and the step in plain words. Reports
 * come twice and out of order; `seq` decides, and nothing follows the end.
 */
import { z } from 'zod'
import { type Agent, findAgent } from '../../database/agents.ts'
import { findUser } from '../../database/users.ts'
import { languageOf, lookUp, wordsFor } from '../catalogue/catalogue.ts'
import { renderElapsed, renderSpan } from '../catalogue/duration.ts'
import type { Catalogue } from '../catalogue/english.ts'
import { fmt } from '../catalogue/format.ts'
import type { DeploymentReport, StateLoss } from '../deployment-report.ts'
import type { DescribeDeployment, HandlerPorts } from '../handling.ts'
import type { Keyboard, MessageTarget } from '../outgoing.ts'
import { agentButton } from '../routing/buttons.ts'
import { Reply } from '../routing/reply.ts'
import type { FormattedText } from '../text/formatted-text.ts'
import { bringSkills } from './copy-agent.ts'
import { chooseAgent, leaveAgent } from './current-agent.ts'
import { buildIntroduction } from './introduction.ts'

const BAR_CELLS = 12

const Progress = z.object({
  target: z.union([z.object({ ref: z.string() }), z.object({ messageId: z.int() })]),
  seq: z.int(),
  finished: z.boolean(),
})

type Kind = DeploymentReport['kind']

/** From now on the progress of this deployment is shown in that message. */
export function trackDeployment(store: HandlerPorts['store'], deploymentId: string, target: MessageTarget): void {
  if (!store.get(keyOf(deploymentId), Progress)) {
    store.put(keyOf(deploymentId), { target, seq: -1, finished: false } satisfies z.infer<typeof Progress>)
  }
}

export const describeReport: DescribeDeployment = async (report, ports) => {
  const reply = new Reply()
  const progress = ports.store.get(keyOf(report.deploymentId), Progress)
  if (progress && (progress.finished || report.seq <= progress.seq)) return reply.finish()
  const agent = await findAgent(ports.database, report.agentId)
  const owner = agent && (await findUser(ports.database, agent.ownerId))
  if (!agent || !owner) return reply.finish()
  const words = wordsFor(languageOf(owner))
  const { text, keyboard } = renderReport(report, { agent, words, now: ports.now() })
  const ref = `deployment:${report.deploymentId}`
  if (progress) reply.edit(progress.target, text, { keyboard, silent: report.status === 'running' })
  else reply.send(text, { ref, keyboard, silent: report.status === 'running' })
  ports.store.put(keyOf(report.deploymentId), {
    target: progress?.target ?? { ref },
    seq: report.seq,
    finished: report.status !== 'running',
  } satisfies z.infer<typeof Progress>)
  if (report.status === 'done' && report.kind === 'create') {
    if (!(await bringSkills(agent, ports)))
      reply.send(words.copy.withoutSkills({ agent: agent.name }), { silent: true })
    chooseAgent(ports.store, { agentId: agent.id, chosenBy: owner.id })
    reply.turn(buildIntroduction(agent, owner))
  }
  if (report.status === 'done' && report.kind === 'destroy') leaveAgent(ports.store, agent.id)
  return reply.finish()
}

function keyOf(deploymentId: string): string {
  return `deployment:${deploymentId}`
}

function renderReport(
  report: DeploymentReport,
  { agent, words, now }: { agent: Agent; words: Catalogue; now: number },
): { text: FormattedText; keyboard: Keyboard } {
  const elapsed = renderElapsed(now - report.startedAt, words)
  switch (report.status) {
    case 'running': {
      const step = lookUp(words.deploy.steps, report.step) ?? words.deploy.stepOther
      return {
        text: renderProgress({ name: agent.name, kind: report.kind, progress: report.progress, elapsed, step }, words),
        keyboard: [],
      }
    }
    case 'done':
      return {
        text: report.loss
          ? renderLoss(report.loss, { name: agent.name, now }, words)
          : renderDone(report.kind, { name: agent.name, elapsed }, words),
        keyboard: [],
      }
    case 'failed':
      return renderFailure(report, agent, words)
  }
}

export function renderProgress(
  shown: {
    readonly name: string
    readonly kind: Kind
    readonly progress: number
    readonly elapsed: string
    readonly step: string
  },
  words: Catalogue,
): FormattedText {
  const { deploy } = words
  const title = { create: deploy.creating, repair: deploy.repairing, update: deploy.updating, destroy: deploy.deleting }
  const share = Math.min(1, Math.max(0, shown.progress))
  const filled = Math.round(share * BAR_CELLS)
  const bar = '▰'.repeat(filled) + '▱'.repeat(BAR_CELLS - filled)
  return fmt`${title[shown.kind]({ name: shown.name })}\n${bar} ${Math.floor(share * 100)}% · ${shown.elapsed}\n${shown.step}`
}

function renderDone(kind: Kind, { name, elapsed }: { name: string; elapsed: string }, { deploy }: Catalogue) {
  switch (kind) {
    case 'create':
      return deploy.ready({ name, elapsed })
    case 'repair':
      return deploy.repaired({ name })
    case 'update':
      return deploy.updated({ name })
    case 'destroy':
      return deploy.deleted({ name })
  }
}

/** "Repaired" alone would be less than the truth. */
function renderLoss({ copiedAt }: StateLoss, { name, now }: { name: string; now: number }, words: Catalogue) {
  if (copiedAt === undefined) return words.deploy.repairedFromNothing({ name })
  return words.deploy.repairedFromCopy({ name, span: renderSpan(now - copiedAt, words) })
}

function renderFailure({ kind, error }: DeploymentReport, { id, name }: Agent, { deploy, buttons }: Catalogue) {
  if (kind === 'destroy') return { text: deploy.deleteFailed({ name }), keyboard: [] }
  const reason = lookUp(deploy.errors, error?.code ?? 'internal') ?? error?.message ?? deploy.errors.internal
  const verb = kind === 'create' ? 'retry' : kind
  return {
    text: deploy.failed({ name, reason }),
    keyboard: [[agentButton(buttons.retry, verb, id), agentButton(buttons.delete, 'delete', id, 'danger')]],
  }
}
