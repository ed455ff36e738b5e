/** `node local/aleph/main.ts --port 8789 --data DIR [--machine-ports 24000]`: Aleph Cloud's stand-in as a process of its own. */
import { parseArgs } from 'node:util'
import { startAleph } from './start-aleph.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8789' },
    data: { type: 'string' },
    'machine-ports': { type: 'string' },
  },
})
const aleph = await startAleph({
  port: Number(values.port),
  dataDir: values.data,
  ...(values['machine-ports'] ? { machinePorts: Number(values['machine-ports']) } : {}),
})
console.log(JSON.stringify({ ready: aleph.url }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void aleph.close().then(() => process.exit(0)))
}
