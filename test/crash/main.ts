/** `node test/crash/main.ts [--kills 200] [--seed 1] [--chats 10] [--groups 2] [--forums 1]`: the crash matrix, as JSON. */
import { parseArgs } from 'node:util'
import { runCrashMatrix } from './crash-matrix.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    chats: { type: 'string', default: '10' },
    groups: { type: 'string', default: '2' },
    forums: { type: 'string', default: '1' },
  },
})
const report = await runCrashMatrix({
  kills: Number(values.kills),
  seed: Number(values.seed),
  privateChats: Number(values.chats),
  groups: Number(values.groups),
  forums: Number(values.forums),
  trouble: { flood: 0.01, serverError: 0.02, dropBefore: 0.01, dropAfter: 0.02 },
  agentTrouble: 0.3,
  onProgress: (line) => console.log(line),
})
console.log(JSON.stringify(report, null, 2))
const wrong = [
  ...report.finalsLost,
  ...report.finalsDuplicated,
  ...report.filesLost,
  ...report.filesDuplicated,
  ...report.outOfOrder,
  ...report.stuck,
  ...report.secondRuns,
  ...report.leftovers,
]
// A Worker that is killed before it hears of a penalty cannot know of it.
process.exit(wrong.length === 0 ? 0 : 1)
