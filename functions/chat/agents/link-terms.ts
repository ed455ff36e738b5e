/** The terms of a share link in words, each with its sign: on the buttons of the menu and on the link itself. */
import type { Link } from '../../database/links.ts'
import { renderSpan } from '../catalogue/duration.ts'
import type { Catalogue } from '../catalogue/english.ts'
import type { LinkTerms } from './create-share-link.ts'

export function describeTerms(
  { days, people, messages, tools, ask, copy }: LinkTerms,
  { share }: Catalogue,
): Readonly<Record<keyof LinkTerms, string>> {
  return {
    days: `⏳ ${share.days({ days })}`,
    people: `👥 ${share.people({ people })}`,
    messages: `💬 ${share.messages({ messages })}`,
    tools: `🛠 ${share.tools[tools]}`,
    ask: `✋ ${ask ? share.asked : share.notAsked}`,
    copy: `🧬 ${copy ? share.copies : share.noCopies}`,
  }
}

export function describeLink(link: Link, words: Catalogue, now: number): string[] {
  const { share } = words
  const { expiresAt, maxPeople, messagesPerDay, tools, needsApproval, allowsCopy, pausedAt } = link
  const terms = describeTerms(
    {
      days: 0,
      people: maxPeople ?? 0,
      messages: messagesPerDay ?? 0,
      tools,
      ask: needsApproval ? 1 : 0,
      copy: allowsCopy ? 1 : 0,
    },
    words,
  )
  const left = expiresAt === null ? terms.days : `⏳ ${share.expires({ left: renderSpan(expiresAt - now, words) })}`
  return [
    ...(pausedAt === null ? [] : [`⏸ ${share.paused}`]),
    left,
    terms.people,
    terms.messages,
    terms.tools,
    ...(needsApproval ? [terms.ask] : []),
    ...(allowsCopy ? [terms.copy] : []),
  ]
}
