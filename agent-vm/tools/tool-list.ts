/** Every tool, in the order the model sees. The order is part of the prefix of every request: append, do not sort. */
import { bash } from './bash.ts'
import { editFile } from './edit-file.ts'
import { listDir } from './list-dir.ts'
import { readFile } from './read-file.ts'
import { schedule } from './schedule.ts'
import { searchFiles } from './search-files.ts'
import { searchHistory } from './search-history.ts'
import { sendFile } from './send-file.ts'
import { spawn } from './spawn.ts'
import type { Tool } from './tool.ts'
import { webFetch } from './web-fetch.ts'
import { webSearch } from './web-search.ts'
import { writeFile } from './write-file.ts'

export function listTools(choices: { search: boolean }): readonly Tool[] {
  return [
    bash,
    readFile,
    writeFile,
    editFile,
    listDir,
    searchFiles,
    webFetch,
    ...(choices.search ? [webSearch] : []),
    sendFile,
    spawn,
    schedule,
    searchHistory,
  ]
}
