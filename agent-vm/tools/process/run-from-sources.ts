/** The tool process as a program: run from the sources as it stands, and bundled into `agent.mjs` (`packed-programs.ts`). */
import { runToolProcess } from '../tool-process.ts'

// What it cannot cope with ends it, and the server sees that.
void runToolProcess()
