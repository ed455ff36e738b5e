/**
 * `npm run screenshots`: a picture of every screen in the local page, as on a phone, into `.data/screenshots/screens/`. Those
 * in `docs/images/` are some of them, made smaller.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ROOT } from '../../local/settings.ts'
import type { Person } from '../story/person.ts'
import { SCREENS } from '../story/screens.ts'
import { setUpBaal } from '../story/set-up.ts'
import { Walk } from '../story/walk.ts'
import { openBrowser } from './browser.ts'

const FOLDER = join(ROOT, '.data', 'screenshots', 'screens')
const PHONE = { width: 390, height: 844 }
/** For what the page animates. */
const SETTLE_MS = 350
const PORT = 18_800

await rm(FOLDER, { recursive: true, force: true })
await mkdir(FOLDER, { recursive: true })
const setUp = await setUpBaal(PORT)
const browser = await openBrowser()
try {
  const walk = await Walk.begin(setUp.baal.pageUrl)
  const pages = new Map<Person, Page>()
  const pageOf = async (person: Person): Promise<Page> => {
    const known = pages.get(person)
    if (known) return known
    const page = await browser.newPage({ viewport: PHONE })
    await page.goto(`${setUp.baal.pageUrl}/#user=${person.id}&chat=${person.chat}`)
    pages.set(person, page)
    return page
  }
  let count = 0
  const picture = async (person: Person, name: string) => {
    const page = await pageOf(person)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await page.screenshot({ path: join(FOLDER, `${String(++count).padStart(3, '0')}-${name}.png`) })
  }
  await picture(walk.owner, 'created')
  for (const step of SCREENS) {
    const person = walk.who(step)
    await pageOf(person)
    await walk.take(step)
    await picture(person, step.name)
    if (step.tells) await picture(step.by === 'visitor' ? walk.owner : walk.visitor, `${step.name}-told`)
  }
  console.log(`${count} pictures in ${FOLDER}`)
} finally {
  await browser.close()
  await setUp.close()
}
