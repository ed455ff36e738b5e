/**
 * Every command and its buttons, as a person uses them: through Telegram's webhook, reading what Telegram was sent. A chat is
 * told about one thing a second, so the whole walk takes minutes: `npm run test:commands`. Here its beginning is walked, and
 * the same screens without the way around them in `functions/chat/every-screen.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Person } from './person.ts'
import { SCREENS } from './screens.ts'
import { type SetUp, setUpBaal } from './set-up.ts'

const PORT = 18_700
const WALK = process.env.BAAL_ALL_SCREENS ? SCREENS : SCREENS.slice(0, 12)

let setUp: SetUp
let alice: Person

beforeAll(async () => {
  setUp = await setUpBaal(PORT)
  alice = await Person.meet(setUp.baal.pageUrl)
  await alice.createAgent('Rosa')
})
afterAll(() => setUp?.close())

for (const { name, says, presses, sees } of WALK) {
  test(`${says ?? `the button “${presses}”`} shows “${sees}” (${name})`, async () => {
    const shown = await alice.shows(() => (says === undefined ? alice.press(presses ?? '') : alice.say(says)), sees)
    expect(shown).toContain(sees)
  })
}

test('nothing that Telegram was sent was refused', async () => {
  const refused = await alice.refusedCalls()
  expect(refused).toEqual([])
})
