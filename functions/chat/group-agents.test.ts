import { expect, test } from 'vitest'
import { chooseAgent, leaveAgent } from './agents/current-agent.ts'
import { openStore } from './chat-store.ts'
import { forgetInGroup } from './forget-person.ts'
import { forgetBrought, groupAgentOf, noteBrought } from './group-agents.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'

const rex = { agentId: 'rex', chosenBy: 1 }
const max = { agentId: 'max', chosenBy: 2 }

test('a group has the agent that was chosen in it, else the only one of its topics', () => {
  const store = openStore(fakeChatDatabase())
  expect(groupAgentOf(store)).toBeUndefined()
  noteBrought(store, rex)
  noteBrought(store, rex)
  expect(groupAgentOf(store)).toEqual(rex)
  noteBrought(store, max)
  expect(groupAgentOf(store)).toBeUndefined()
  chooseAgent(store, max)
  expect(groupAgentOf(store)).toEqual(max)
})

test('one that was sent away from its topic, or from the group, comes no more by itself', () => {
  const store = openStore(fakeChatDatabase())
  noteBrought(store, rex)
  noteBrought(store, max)
  forgetBrought(store, ({ agentId }) => agentId === 'rex')
  expect(groupAgentOf(store)).toEqual(max)
  chooseAgent(store, rex)
  leaveAgent(store)
  expect(groupAgentOf(store)).toBeUndefined()
})

test('who is forgotten has brought nothing', () => {
  const database = fakeChatDatabase()
  const store = openStore(database)
  noteBrought(store, rex)
  noteBrought(store, { agentId: 'ada', chosenBy: 1 })
  noteBrought(store, max)
  store.flush()
  forgetInGroup(database, 1, ['rex', 'ada'])
  expect(groupAgentOf(openStore(database))).toEqual(max)
})
