/** Which lane an update takes. Pure and cheap: it is asked before anything is loaded. */
import type { Message, Update } from 'grammy/types'
import { bringsAgent } from '../agents/brought-agent.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import type { ClassifyUpdate, HandlerPorts } from '../handling.ts'
import { wizardAwaitingText } from '../wizard/stored-wizard.ts'
import { commandOf, isForAnotherBot, isMeant } from './addressing.ts'
import { contentOf } from './message-content.ts'
import { GROUP_COMMANDS } from './on-command.ts'
import { senderOf } from './sender.ts'

type Ports = Pick<HandlerPorts, 'store' | 'bot' | 'chat'>

export const classify: ClassifyUpdate = (update, ports) => {
  if (update.callback_query?.data || update.stopped_message_generation) return 'control'
  if (update.my_chat_member) return joinedGroup(update) ? 'control' : 'ignore'
  if (update.message) return classifyMessage(update.message, ports)
  if (update.edited_message) return classifyEdited(update.edited_message, ports)
  return 'ignore'
}

/** We were added to a group just now. */
export function joinedGroup({ my_chat_member: change }: Update): boolean {
  if (!change || change.chat.type === 'private' || change.chat.type === 'channel') return false
  const isIn = (status: string) => status === 'member' || status === 'administrator'
  return isIn(change.new_chat_member.status) && !isIn(change.old_chat_member.status)
}

function classifyMessage(message: Message, ports: Ports): 'control' | 'turn' | 'ignore' {
  const sender = senderOf(message)
  if (!sender || isForAnotherBot(message, ports.bot)) return 'ignore'
  if (message.forum_topic_created && message.chat.type === 'private') return 'control'
  if (bringsAgent(message)) return 'control'
  const command = commandOf(message, ports.bot)
  if (command) return command.addressed || GROUP_COMMANDS.has(command.name) ? 'control' : 'ignore'
  if (wizardAwaitingText(ports.store, { userId: sender.id, now: message.date * 1000 })) {
    if (isMeant(message, ports.bot)) return 'control'
  }
  if (!isMeant(message, ports.bot) || contentOf(message, ports.bot) === undefined) return 'ignore'
  return currentAgentOf(ports.store) ? 'turn' : 'control'
}

function classifyEdited(message: Message, ports: Ports): 'control' | 'ignore' {
  if (!senderOf(message) || commandOf(message, ports.bot)) return 'ignore'
  if (!currentAgentOf(ports.store) || !isMeant(message, ports.bot)) return 'ignore'
  return contentOf(message, ports.bot) === undefined ? 'ignore' : 'control'
}
