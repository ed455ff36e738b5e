import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeWorld, giveAgent, startFakeWorld } from '../chat/handling.fake.ts'
import { createLink, listOpenLinks, revokeLink } from './links.ts'
import { findMember, joinByLink, listMembers, setMemberRole } from './members.ts'
import { ensureUser, findUser, saveUserSettings } from './users.ts'

let world: FakeWorld
let link = 0
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

async function newLink(agentId: string, maxPeople: number | null) {
  const id = `link${++link}`
  const row = { id, agentId, tokenHash: id, tokenSealed: '', maxPeople, needsApproval: 0, createdAt: world.time + link }
  await createLink(world.database, row)
  return row
}

describe('joining by a link', () => {
  test('lets in as many people as allowed, however many come at once', async () => {
    const opened = await newLink(await giveAgent(world, 10), 3)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        joinByLink(world.database, opened, { userId: 200 + index, now: world.time }),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'joined')).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(17)
  })

  test('costs no second place for whoever is in already', async () => {
    const opened = await newLink(await giveAgent(world, 11), 1)
    const person = { userId: 300, now: world.time }
    expect(await joinByLink(world.database, opened, person)).toBe('joined')
    expect(await joinByLink(world.database, opened, person)).toBe('joined')
    expect(await joinByLink(world.database, opened, { ...person, userId: 301 })).toBe('full')
  })

  test('moves a visitor to the newer link, and never lets a blocked one in', async () => {
    const agentId = await giveAgent(world, 12)
    const first = await newLink(agentId, null)
    const second = await newLink(agentId, null)
    const person = { userId: 310, now: world.time }
    await joinByLink(world.database, first, person)
    await joinByLink(world.database, second, person)
    expect((await findMember(world.database, agentId, 310))?.linkId).toBe(second.id)
    expect(await setMemberRole(world.database, { agentId, userId: 310 }, { from: ['visitor'], to: 'blocked' })).toBe(
      true,
    )
    expect(await joinByLink(world.database, first, person)).toBe('blocked')
  })
})

test('an expired or closed link is no longer listed, and closing it twice is closing it once', async () => {
  const agentId = await giveAgent(world, 13)
  const opened = await newLink(agentId, null)
  await createLink(world.database, { ...opened, id: 'old', tokenHash: 'old', expiresAt: world.time })
  expect((await listOpenLinks(world.database, agentId, world.time)).map(({ id }) => id)).toEqual([opened.id])
  expect(await revokeLink(world.database, opened.id, world.time)).toBe(true)
  expect(await revokeLink(world.database, opened.id, world.time)).toBe(false)
  expect(await listOpenLinks(world.database, agentId, world.time)).toEqual([])
})

test('members are listed with name and today’s messages', async () => {
  const agentId = await giveAgent(world, 14)
  const opened = await newLink(agentId, null)
  await ensureUser(world.database, { id: 320, firstName: 'Ana', now: world.time })
  await joinByLink(world.database, opened, { userId: 320, now: world.time })
  await joinByLink(world.database, opened, { userId: 321, now: world.time })
  const members = await listMembers(world.database, agentId, { day: '2026-11-23', sinceDay: '2026-11-17' })
  expect(members).toContainEqual({ userId: 320, name: 'Ana', role: 'visitor', messagesToday: 0, messages: 0 })
  expect(members).toContainEqual({ userId: 321, name: '321', role: 'visitor', messagesToday: 0, messages: 0 })
})

test('a person’s name follows Telegram while their settings stay', async () => {
  await ensureUser(world.database, { id: 330, firstName: 'Ana', languageCode: 'fr', now: world.time })
  await saveUserSettings(world.database, 330, { timezone: 'Europe/Paris' })
  await ensureUser(world.database, { id: 330, firstName: 'Anna', now: world.time + 1 })
  expect(await findUser(world.database, 330)).toMatchObject({
    firstName: 'Anna',
    languageCode: null,
    timezone: 'Europe/Paris',
    createdAt: world.time,
  })
})
