/** `npm run load -- [--chats 12] [--messages 1000000] [--minutes 1] [--agents 4] [--faults 1] [--seed 1] [--json]` */
import { parseArgs } from 'node:util'
import { runLoad } from './load.ts'

const { values } = parseArgs({
  options: {
    chats: { type: 'string', default: '12' },
    messages: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '1' },
    agents: { type: 'string', default: '4' },
    faults: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const report = await runLoad({
  chats: Number(values.chats),
  messages: Number(values.messages),
  minutes: Number(values.minutes),
  agentServers: Number(values.agents),
  faults: Number(values.faults),
  seed: Number(values.seed),
  onProgress: (line) => console.error(line),
})
if (values.json) console.log(JSON.stringify({ ...report, printed: report.printed.length }))
else {
  const { memory, samples, lost, duplicated, telegramCalls, logged, printed, ...counts } = report
  console.table([{ ...counts, printedLines: printed.length, lost: lost.length, duplicated: duplicated.length }])
  console.table(memory)
  console.table(telegramCalls)
  console.table(logged)
  if (lost.length > 0) console.log(`lost: ${lost.join(' ')}`)
  if (duplicated.length > 0) console.log(`duplicated: ${duplicated.join(' ')}`)
}
process.exit(report.lost.length + report.duplicated.length === 0 ? 0 : 1)
