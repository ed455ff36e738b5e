/** What a new agent is told so that it speaks first. */
import type { Agent } from '../../database/agents.ts'
import type { User } from '../../database/users.ts'
import { type Language, languageOf } from '../catalogue/catalogue.ts'
import type { TurnInput } from '../handling.ts'

const IN_ENGLISH: Readonly<Record<Language, string>> = {
  en: 'English',
  fr: 'French',
  es: 'Spanish',
  ru: 'Russian',
  zh: 'Simplified Chinese',
}

export function buildIntroduction(agent: Pick<Agent, 'id'>, owner: User): TurnInput {
  const language = IN_ENGLISH[languageOf(owner)]
  const name = owner.firstName ? `Their name is ${owner.firstName}. ` : ''
  return {
    agentId: agent.id,
    user: { id: owner.id, name: owner.firstName, role: 'owner' },
    message:
      '(You have just been created, and this is the first moment of your first conversation. ' +
      `The person you work for is reading. ${name}` +
      'Introduce yourself in two or three short sentences: your name, what you will do for them, and one concrete thing ' +
      `they could ask you right now. Use no tools. Write in ${language}.)`,
    ...(owner.quiet ? { quiet: true } : {}),
  }
}
