/** For names of files that are opened only if they are new: unlikely to be taken, not secret. `node:crypto` would cost 2 MB. */
export function randomSuffix(): string {
  return Math.random().toString(36).slice(2, 10)
}
