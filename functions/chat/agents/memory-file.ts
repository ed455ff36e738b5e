/** Where an agent keeps what it remembers, inside its workspace. */
export const MEMORY_FILE = 'memory/MEMORY.md'

/** More than an agent's memory may hold; a longer file is shown up to here. */
export const MAX_MEMORY_BYTES = 64 * 1024
