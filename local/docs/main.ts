/** `npm run docs`: writes the pages under docs/protocol. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../settings.ts'
import { renderProtocolPages } from './protocol-page.ts'

for (const [file, text] of await renderProtocolPages()) await writeFile(join(ROOT, file), text)
