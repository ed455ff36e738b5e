/**
 * `npm run fuzz:text [seed]`: what `telegram-accepts.test.ts` does in a few seconds, for as long as a cup of tea: every
 * beginning of long real READMEs, and many times more splices, with a seed that is new each time.
 */
import { fuzz } from '../../functions/chat/text/fuzz.fake.ts'
import { createJudge } from '../../functions/chat/text/judge.fake.ts'

const seed = Number(process.argv[2] ?? Date.now() % 2 ** 31)
const judge = createJudge()
const started = performance.now()
fuzz(judge, { readmeChars: 6_000, splices: 60_000, seed })
console.log(judge.faults.slice(0, 20).join('\n'))
console.log(
  `${judge.judged} texts in ${Math.round((performance.now() - started) / 1000)} s, seed ${seed}: ` +
    `${judge.faults.length} refused or changed${judge.hasTelegram ? '' : ' (by our own rules: no TDLib here)'}`,
)
process.exit(judge.faults.length === 0 ? 0 : 1)
