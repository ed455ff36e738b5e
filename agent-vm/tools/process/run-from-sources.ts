/** The tool process when Baal runs from its sources: starts at once, because it loads nothing of the server. */
import { runToolProcess } from '../tool-process.ts'

await runToolProcess()
