/** Who came by a link: how much each of them uses, and the owner's say about every one. */
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { DAY_MS, dayOf } from '../../database/limits.ts'
import { admitMember, listMembers, type MemberUse, setMemberRole } from '../../database/members.ts'
import { findUser } from '../../database/users.ts'
import { languageOf, wordsFor } from '../catalogue/catalogue.ts'
import { clip, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button } from '../routing/buttons.ts'

/** A screen's worth; others appear when these go. */
const SHOWN_PEOPLE = 20
const COUNTED_DAYS = 7
const SHOWN_NAME_POINTS = 24
const VERBS = ['admit', 'refuse', 'block', 'unblock'] as const
type MemberVerb = (typeof VERBS)[number]

export function isMemberVerb(word: string): word is MemberVerb {
  return VERBS.some((verb) => verb === word)
}

export function registerMemberButtons(router: Router): void {
  router.callbackQuery(/^m:(admit|refuse|block|unblock):([a-z0-9]{1,32}):(\d{1,16})$/, async (ctx) => {
    const [, verb = '', agentId = '', userId = ''] = ctx.match
    const agent = await findOwnAgent(ctx.ports.database, agentId, ctx.user.id)
    if (!agent || !isMemberVerb(verb)) return ctx.out.toast(ctx.words.chat.notFound, true)
    return act(ctx, { agent, verb, userId: Number(userId) })
  })
}

/** @param typed a person's name as the list shows it */
export async function actOnPersonNamed(ctx: BaalContext, agent: Agent, verb: MemberVerb, typed: string): Promise<void> {
  const wanted = typed.trim().toLowerCase()
  const named = (await peopleOf(ctx, agent)).filter(
    ({ name, userId }) => name.toLowerCase() === wanted || String(userId) === wanted,
  )
  const [person] = named
  // Two of the same name: only the buttons can tell them apart.
  if (person && named.length === 1) return act(ctx, { agent, verb, userId: person.userId })
  ctx.out.send(ctx.words.share.noSuchPerson)
  return showPeople(ctx, agent)
}

export async function showPeople(ctx: BaalContext, agent: Agent): Promise<void> {
  const { words, out } = ctx
  const { share, buttons } = words
  const people = await peopleOf(ctx, agent)
  const lines: Phrase[] = [share.title({ agent: agent.name }), '']
  if (people.length === 0) lines.push(share.noPeople)
  for (const { name, role, messagesToday, messages } of people) {
    const shown = clip(name, 64)
    if (role === 'visitor') lines.push(share.person({ name: shown, today: messagesToday, week: messages }))
    else lines.push(role === 'waiting' ? share.waitingPerson({ name: shown }) : share.blockedPerson({ name: shown }))
  }
  out.show(join(lines, '\n'), [
    ...people.map((person) => memberButtons(person, agent, buttons)),
    [agentButton(buttons.back, 'share', agent.id)],
  ])
}

/** What the owner is asked when someone stands before the door. */
export function askButtons(agentId: string, userId: number, { buttons }: BaalContext['words']) {
  return [
    [
      button(buttons.admit, `m:admit:${agentId}:${userId}`, 'success'),
      button(buttons.refuse, `m:refuse:${agentId}:${userId}`),
    ],
  ]
}

function memberButtons({ userId, name, role }: MemberUse, agent: Agent, buttons: BaalContext['words']['buttons']) {
  const who = clip(name, SHOWN_NAME_POINTS)
  const data = (verb: MemberVerb) => `m:${verb}:${agent.id}:${userId}`
  if (role === 'waiting') {
    return [button(`${buttons.admit} ${who}`, data('admit')), button(buttons.refuse, data('refuse'))]
  }
  return role === 'blocked'
    ? [button(buttons.unblock(who), data('unblock'))]
    : [button(buttons.block(who), data('block'))]
}

async function peopleOf({ ports }: BaalContext, agent: Agent): Promise<MemberUse[]> {
  const now = ports.now()
  const sinceDay = dayOf(now - (COUNTED_DAYS - 1) * DAY_MS)
  return (await listMembers(ports.database, agent.id, { day: dayOf(now), sinceDay })).slice(0, SHOWN_PEOPLE)
}

interface Decision {
  readonly agent: Agent
  readonly verb: MemberVerb
  readonly userId: number
}

async function act(ctx: BaalContext, decision: Decision): Promise<void> {
  const { words, out } = ctx
  const outcome = await change(ctx, decision)
  if (outcome === 'changed') await tellPerson(ctx, decision)
  out.toast({ changed: words.toasts.saved, unchanged: words.toasts.nothing, full: words.share.full }[outcome])
  return showPeople(ctx, decision.agent)
}

async function change({ ports }: BaalContext, { agent, verb, userId }: Decision) {
  const who = { agentId: agent.id, userId }
  switch (verb) {
    case 'admit': {
      const outcome = await admitMember(ports.database, who)
      return outcome === 'full' ? 'full' : outcome === 'admitted' ? 'changed' : 'unchanged'
    }
    case 'refuse':
      return (await setMemberRole(ports.database, who, { from: ['waiting'], to: 'blocked' })) ? 'changed' : 'unchanged'
    case 'block':
      return (await setMemberRole(ports.database, who, { from: ['visitor', 'waiting'], to: 'blocked' }))
        ? 'changed'
        : 'unchanged'
    case 'unblock':
      return (await setMemberRole(ports.database, who, { from: ['blocked'], to: 'visitor' })) ? 'changed' : 'unchanged'
  }
}

/** Who waits must hear how it went; a block is told when its person writes. */
async function tellPerson({ ports }: BaalContext, { agent, verb, userId }: Decision): Promise<void> {
  if (verb === 'block') return
  const person = await findUser(ports.database, userId)
  const words = wordsFor(languageOf(person ?? {}))
  const key = ports.ids('tell')
  if (verb === 'refuse') return ports.tell(userId, { key, text: words.visit.refused({ agent: agent.name }) })
  await ports.tell(userId, {
    key,
    text: words.visit.admitted({ agent: agent.name }),
    keyboard: [[agentButton(words.buttons.chat, 'chat', agent.id)]],
  })
}
