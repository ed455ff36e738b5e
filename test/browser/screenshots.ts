/**
 * `npm run screenshots`: a picture of every screen in the local page, as on a phone, into `.data/screenshots/screens/`. Those
 * in `docs/images/` are some of them, made smaller.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../local/settings.ts'
import { Person } from '../story/person.ts'
import { SCREENS, type Step } from '../story/screens.ts'
import { setUpBaal } from '../story/set-up.ts'
import { openBrowser } from './browser.ts'

const FOLDER = join(ROOT, '.data', 'screenshots', 'screens')
const PHONE = { width: 390, height: 844 }
/** For what the page animates. */
const SETTLE_MS = 350
const PORT = 18_800

await mkdir(FOLDER, { recursive: true })
const setUp = await setUpBaal(PORT)
const browser = await openBrowser()
try {
  const alice = await Person.meet(setUp.baal.pageUrl)
  const page = await browser.newPage({ viewport: PHONE })
  await page.goto(`${setUp.baal.pageUrl}/#user=${alice.id}&chat=${alice.id}`)
  let count = 0
  const picture = async (name: string) => {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await page.screenshot({ path: join(FOLDER, `${String(++count).padStart(2, '0')}-${name}.png`) })
  }
  const walk = async (person: Person, { name, says, presses, sees }: Step) => {
    await person.shows(() => (says === undefined ? person.press(presses ?? '') : person.say(says)), sees)
    await picture(name)
  }
  await alice.createAgent('Rosa')
  await picture('created')
  await visitorScreens(alice, setUp.baal.pageUrl, walk, picture)
  for (const step of SCREENS) await walk(alice, step)
  console.log(`${count} pictures in ${FOLDER}`)
} finally {
  await browser.close()
  await setUp.close()
}

/** What a link that asks looks like to its owner, and to who came by it. */
async function visitorScreens(
  alice: Person,
  pageUrl: string,
  walk: (person: Person, step: Step) => Promise<void>,
  picture: (name: string) => Promise<void>,
): Promise<void> {
  const bob = await Person.meet(pageUrl, 1)
  const theirs = await browser.newPage({ viewport: PHONE })
  await theirs.goto(`${pageUrl}/#user=${bob.id}&chat=${bob.id}`)
  await bob.shows(() => bob.start(), 'I give you an AI agent')
  await theirs.getByTestId('message').filter({ hasText: 'I give you an AI agent' }).waitFor()
  await theirs.screenshot({ path: join(FOLDER, '00-first-start.png') })
  const shown = await alice.shows(() => alice.say('/share new ask copy'), 'start=')
  await alice.shows(() => bob.start(/start=([\w-]+)/.exec(shown)?.[1]), 'would like to talk to Rosa')
  await bob.hears('lets each person in')
  await picture('share-knock')
  await theirs.screenshot({ path: join(FOLDER, '00-visitor-waits.png') })
  await bob.shows(() => alice.press('Let in'), 'You may talk to Rosa now')
  await picture('share-people-in')
  await bob.shows(() => bob.press('Chat'), 'You are talking to Rosa')
  await bob.shows(() => bob.say('/list'), 'Shared with you')
  await theirs.screenshot({ path: join(FOLDER, '00-visitor-list.png') })
  await bob.shows(() => bob.say('/copy'), 'as those of Rosa')
  await theirs.screenshot({ path: join(FOLDER, '00-visitor-copy.png') })
  await theirs.close()
  await walk(alice, { name: 'share-closed-first', says: '/share close 1', sees: 'Only you.' })
}
