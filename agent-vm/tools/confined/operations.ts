/** What the tool process can do, by name. */
import { editFile } from './edit-file.ts'
import { listDir } from './list-dir.ts'
import { readFile } from './read-file.ts'
import { runBash } from './run-bash.ts'
import { searchFiles } from './search-files.ts'
import { sendFile } from './send-file.ts'
import { webFetch } from './web-fetch.ts'
import { writeFile } from './write-file.ts'

export const OPERATIONS = {
  bash: runBash,
  read_file: readFile,
  write_file: writeFile,
  edit_file: editFile,
  list_dir: listDir,
  search_files: searchFiles,
  web_fetch: webFetch,
  send_file: sendFile,
}

export type Operations = typeof OPERATIONS
