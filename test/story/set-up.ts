/** Baal on ports and in a folder of a test's own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Baal, startBaal } from '../../local/baal.ts'
import { loadSettings } from '../../local/settings.ts'

export interface SetUp {
  readonly baal: Baal
  readonly dataDir: string
  /** What parts printed, for a failing test. */
  readonly output: readonly string[]
  restart(): Promise<Baal>
  close(): Promise<void>
}

/** @param workerPort the others follow it; each test file takes its own hundred */
export async function setUpBaal(
  workerPort: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<SetUp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-story-'))
  const output: string[] = []
  const start = async () =>
    startBaal({
      settings: await loadSettings(
        { PATH: process.env.PATH ?? '', BAAL_DATA_DIR: dataDir, PORT: String(workerPort), ...environment },
        dataDir,
      ),
      onOutput: (part, line) => output.push(`[${part}] ${line}`),
      onTrouble: (line) => output.push(`! ${line}`),
    })
  let baal = await start()
  return {
    get baal() {
      return baal
    },
    dataDir,
    output,
    async restart() {
      await baal.stop()
      baal = await start()
      return baal
    },
    async close() {
      await baal.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
