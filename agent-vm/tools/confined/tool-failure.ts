/** What a tool could not do, said so that the model can act on it. */
export class ToolFailure extends Error {
  readonly code = 'tool_failure'
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist. Look with list_dir or search_files.',
  ENOTDIR: 'leads through something that is not a folder.',
  EISDIR: 'is a folder, not a file.',
  EACCES: 'may not be accessed by you (permission denied).',
  EPERM: 'may not be changed by you (operation not permitted).',
  EROFS: 'lies on a file system that is read-only. Nothing can be written now; tell the person.',
  ENOSPC: 'could not be written: the disk is full. Nothing was changed. Free space first, for example old downloads.',
  EDQUOT: 'could not be written: the disk quota is used up. Nothing was changed. Free space first.',
  ELOOP: 'leads through links in a circle, or through a link where none is allowed.',
  ENAMETOOLONG: 'is too long a name.',
  EMFILE: 'could not be opened: too many files are open. Try again.',
  EEXIST: 'already exists and is not a folder.',
}

/** @param shown the path as the model gave it */
export function fileFailure(error: unknown, shown: string): ToolFailure {
  if (error instanceof ToolFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const hint = HINTS[code] ?? `could not be used (${code || String(error)}).`
  return new ToolFailure(`${shown} ${hint}`, { cause: error })
}
