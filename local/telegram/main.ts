/** node local/telegram/main.ts --port 8081 --data .data/telegram --token 7000000001:secret [--limits off] */
import { parseArgs } from 'node:util'
import { startTelegram } from './start-telegram.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    data: { type: 'string' },
    token: { type: 'string' },
    limits: { type: 'string', default: 'real' },
  },
})
if (!values.token || !/^\d+:[\w-]+$/.test(values.token)) {
  console.error('--token: give the bot a token like 7000000001:secret')
  process.exit(2)
}
const telegram = await startTelegram({
  port: Number(values.port),
  token: values.token,
  limits: values.limits === 'off' ? 'off' : 'real',
  ...(values.data ? { dataDir: values.data } : {}),
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    telegram.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}

const { tdlibUnavailable } = telegram.sim.world
if (tdlibUnavailable) {
  console.error(
    `Telegram's own text parser cannot run here (${tdlibUnavailable}): texts are checked by rules of thumb.`,
  )
}
console.log(JSON.stringify({ ready: telegram.url }))
