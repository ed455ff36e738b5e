/**
 * Forgets whoever asked for it, step by step and safe to repeat: agents and machines go the way of every deletion, then the
 * chats, then the rows. Until the rows are gone the request stands, so that nothing is left half done.
 */
import type { Bindings } from './bindings.ts'
import { botIdOf } from './bot-id.ts'
import { agentClientFor } from './chat/agent-client.ts'
import { languageOf, wordsFor } from './chat/catalogue/catalogue.ts'
import { plainText } from './chat/text/formatted-text.ts'
import type { Config } from './config.ts'
import { changeStatus, findRunningDeployment, recordDeployment } from './database/agents.ts'
import type { Database } from './database/database.ts'
import {
  erasePerson,
  findForgetting,
  hasMachines,
  listAllAgents,
  listMemberships,
  listPersonChats,
} from './database/forgetting.ts'
import { revokeLinksOf } from './database/links.ts'
import { findUser } from './database/users.ts'
import { describeError, log } from './log.ts'

/** A few calls each, well below the platform's limit on calls per event. */
const MAX_PEOPLE = 20

interface Ports {
  readonly config: Config
  readonly database: Database
  readonly env: Bindings
}

export async function forgetPeople(ports: Ports, now: number): Promise<void> {
  for (const userId of await findForgetting(ports.database, MAX_PEOPLE)) {
    await forgetPerson(ports, userId, now).catch((error: unknown) => {
      log('error', 'not_forgotten', { user: userId, error: describeError(error) })
    })
  }
}

async function forgetPerson(ports: Ports, userId: number, now: number): Promise<void> {
  const { database, env, config } = ports
  const agents = await listAllAgents(database, userId)
  const agentIds = agents.map(({ id }) => id)
  const alive = agents.filter(({ status }) => status !== 'deleted')
  for (const { id } of alive) await beginDestroying(ports, id, now)
  if (alive.length > 0 || (await hasMachines(database, agentIds))) return
  await clearVisits(ports, userId)
  const privateChat = `${botIdOf(config.TELEGRAM_BOT_TOKEN)}:${userId}`
  const chats = new Set([privateChat, ...(await listPersonChats(database, userId))])
  for (const chat of chats) await env.CHAT.getByName(chat).forgetPerson(userId, agentIds)
  const user = await findUser(database, userId)
  await erasePerson(database, userId, agentIds)
  if (user)
    await env.CHAT.getByName(privateChat).tell('forgotten', { text: plainText(wordsFor(languageOf(user)).forget.done) })
  log('info', 'person_forgotten', { agents: agentIds.length, chats: chats.size })
}

async function beginDestroying({ database, env }: Ports, agentId: string, now: number): Promise<void> {
  await changeStatus(database, agentId, { from: ['creating', 'running', 'failed'], to: 'deleting', now })
  await revokeLinksOf(database, agentId, now)
  if ((await findRunningDeployment(database, agentId))?.kind === 'destroy') return
  const id = `forget${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
  await recordDeployment(database, { id, agentId, kind: 'destroy', chatName: null, now })
  await env.PROVISION.create({ id: `deploy-${id}`, params: { deploymentId: id } })
}

/** What others' agents remember of the conversation. A machine that does not answer keeps it no longer than its owner keeps it. */
async function clearVisits({ config, database }: Ports, userId: number): Promise<void> {
  for (const agentId of await listMemberships(database, userId)) {
    try {
      await (await agentClientFor(agentId, { config, database })).clear(String(userId))
    } catch (error) {
      log('warn', 'visit_not_cleared', { agent: agentId, error: describeError(error) })
    }
  }
}
