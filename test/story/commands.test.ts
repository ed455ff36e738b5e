/**
 * Every command and its buttons, as a person uses them: through Telegram's webhook, reading what Telegram was sent. A chat is
 * told about one thing a second, so the walk takes minutes: `npm run test:commands`, not part of `npm test`, which looks at the
 * same screens without the way around them (`functions/chat/every-screen.test.ts`).
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kindOf, registered, standsForCommand } from '../../functions/chat/testing/registered.ts'
import { SCREENS, type Step } from './screens.ts'
import { type SetUp, setUpBaal } from './set-up.ts'
import { Walk } from './walk.ts'

const PORT = 18_700

let setUp: SetUp
let walk: Walk

beforeAll(async () => {
  setUp = await setUpBaal(PORT)
  walk = await Walk.begin(setUp.baal.pageUrl)
})
afterAll(() => setUp?.close())

for (const step of SCREENS) {
  test(`${step.by ?? 'owner'}: ${deedOf(step)} shows “${step.sees}” (${step.name})`, async () => {
    expect(await walk.take(step)).toContain(step.sees)
  })
}

test('nothing that Telegram was sent was refused', async () => {
  const people = [walk.owner, walk.visitor, walk.group]
  expect((await Promise.all(people.map((person) => person.refusedCalls()))).flat()).toEqual([])
})

test('every kind of button that was shown was pressed, or its command typed', async () => {
  const all = registered()
  const people = [walk.owner, walk.visitor, walk.group]
  const shown = (await Promise.all(people.map((person) => person.shownButtons()))).flat()
  const kinds = new Set(shown.map((data) => kindOf(data, all) ?? `unknown: ${data}`))
  const pressed = new Set(SCREENS.map(({ presses }) => presses?.[1]))
  expect([...kinds].filter((kind) => !pressed.has(kind) && !standsForCommand(kind, all))).toEqual([])
})

function deedOf({ says, presses, does }: Step): string {
  return says ?? does ?? `the button “${presses?.[0]}”`
}
