/** `npm run fuzz:text` tries far more of the same. Seconds of work, which may be minutes on a machine that does much else. */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.fake.ts'
import { createJudge } from './judge.fake.ts'

const judge = createJudge()

test.skipIf(!judge.hasTelegram)(
  'Telegram refuses and changes none of more than ten thousand texts',
  () => {
    fuzz(judge, { readmeChars: 500, splices: 2_000, seed: 20_261_123 })
    expect(judge.faults.slice(0, 5)).toEqual([])
    expect(judge.judged).toBeGreaterThan(10_000)
    console.log(`TDLib read ${judge.judged} texts and refused none`)
  },
  600_000,
)
