/** `node local/model/main.ts --port 8790 [--key KEY] [--token-delay MS]`: the model stand-in as a process of its own. */
import { parseArgs } from 'node:util'
import { startModel } from './start-model.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8790' },
    key: { type: 'string' },
    'token-delay': { type: 'string' },
  },
})
const delay = values['token-delay']
const model = await startModel({
  port: Number(values.port),
  key: values.key,
  ...(delay === undefined ? {} : { tokenDelayMs: Number(delay), firstTokenDelayMs: Number(delay) }),
})
console.log(JSON.stringify({ ready: model.url }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void model.close().then(() => process.exit(0)))
}
