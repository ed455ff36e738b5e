/** Handlers with the least they must have, so that delivery is tested without what Baal says. */
import { z } from 'zod'
import type { ClassifyUpdate, DescribeDeployment, HandleUpdate } from '../handling.ts'
import { plainText } from '../text/formatted-text.ts'
import { RETRY_BUTTON, STEPS_BUTTON } from '../turn-buttons.ts'

/** The one agent of every test. */
export const TEST_AGENT_ID = 'agent0000000test'

const hung = new Set<number>()

/** Words are for the agent; commands, buttons and the rest are control. In groups only what mentions the bot counts. */
export const classifyUpdate: ClassifyUpdate = (update, { bot, chat }) => {
  const { message } = update
  if (!message) return update.callback_query || update.stopped_message_generation ? 'control' : 'ignore'
  const words = message.text ?? message.caption ?? ''
  if (words.startsWith('/')) return 'control'
  return chat.kind === 'private' || words.includes(`@${bot.username}`) ? 'turn' : 'ignore'
}

export const handleUpdate: HandleUpdate = async (update, ports) => {
  const { message, callback_query: query } = update
  if (query) return handleButton(query.data ?? '', ports)
  if (update.stopped_message_generation) {
    await ports.turns.stop()
    return { outgoing: [] }
  }
  const words = message?.text ?? message?.caption ?? ''
  if (words.startsWith('/stop')) {
    const stopped = await ports.turns.stop()
    return { outgoing: stopped ? [] : [{ kind: 'send', text: plainText('Nothing is running.') }] }
  }
  if (words.startsWith('/count')) {
    const count = (ports.store.get('count', z.int()) ?? 0) + 1
    ports.store.put('count', count)
    return { outgoing: [{ kind: 'send', text: plainText(`count ${count}`) }] }
  }
  if (words.startsWith('/bring ')) await ports.group?.brought({ agentId: words.slice(7), chosenBy: 1 })
  if (words.startsWith('/away ')) await ports.group?.sentAway(words.slice(6))
  if (words.startsWith('/group')) {
    const agent = ports.group && (await ports.group.agent())
    return { outgoing: [{ kind: 'send', text: plainText(`group ${agent?.agentId ?? 'none'}`) }] }
  }
  // Hangs once: the next object of the chat knows better.
  if (words.startsWith('/hang') && !hung.has(update.update_id)) {
    hung.add(update.update_id)
    await new Promise(() => undefined)
  }
  if (words.startsWith('/boom')) throw new Error('boom')
  if (words.startsWith('/')) return { outgoing: [{ kind: 'send', text: plainText(`command ${words}`) }] }
  if (!message?.from) return { outgoing: [] }
  const user = { id: message.from.id, name: message.from.first_name, role: 'owner' as const }
  const rich = words.startsWith('rich') ? { rich: 'auto' as const } : {}
  return { outgoing: [], turn: { agentId: TEST_AGENT_ID, user, message: words, source: message, ...rich } }
}

function handleButton(data: string, ports: Parameters<HandleUpdate>[1]): ReturnType<HandleUpdate> {
  const steps = STEPS_BUTTON.parse(data)
  if (steps !== undefined) {
    const names = ports.turns.steps(steps).map((step) => `${step.type} ${step.name}`)
    return Promise.resolve({ outgoing: [{ kind: 'send', text: plainText(names.join('\n') || 'none') }] })
  }
  const turn = ports.turns.retry(RETRY_BUTTON.parse(data) ?? '')
  if (turn) return Promise.resolve({ outgoing: [], answer: { text: 'Again' }, turn })
  if (data.startsWith('stop:')) return ports.turns.stop().then(() => ({ outgoing: [], answer: { text: 'Stopping' } }))
  return Promise.resolve({ outgoing: [], answer: { text: `pressed ${data}` } })
}

export const describeDeployment: DescribeDeployment = async (report) => {
  const text = plainText(`${report.status} ${report.step} ${Math.round(report.progress * 100)}%`)
  const ref = `deploy:${report.deploymentId}`
  if (report.seq === 1) return { outgoing: [{ kind: 'send', ref, text }] }
  if (report.status !== 'done') return { outgoing: [{ kind: 'edit', target: { ref }, text }] }
  const user = { id: 1, name: 'Ann', role: 'owner' as const }
  return {
    outgoing: [{ kind: 'edit', target: { ref }, text }],
    turn: { agentId: report.agentId, user, message: 'introduce yourself' },
  }
}
