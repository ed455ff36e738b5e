/**
 * Another SSH key for a machine: the new one is added beside the old one, proves itself by a login, and only then the old one
 * goes. Cut anywhere, the machine lets in a key that this runner has; repeated, it goes on from what it finds.
 */
import { look, type Progress, report, timed } from './deployment.ts'
import type { RunnerLimits } from './limits.ts'
import type { MachineReport } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'
import { lastLines, type SshConnection } from './ssh-connection.ts'
import { publicHalfOf } from './ssh-key-pair.ts'

const STEP = 'key'
const CHANGED = 'changed'

export interface Keys {
  /** Public, as the caller knows it. */
  readonly wanted: string
  /** Private: the one that is to open the machine, and the one that shall no longer. */
  readonly current: string
  readonly former?: string | undefined
  login(privateKey: string): Promise<SshConnection>
}

/** @throws {RunnerFailure} bad_request for a key that is not the runner's own, step_failed when the former one goes on opening */
export async function rekey(
  ssh: SshConnection,
  { wanted, current, former, login }: Keys,
  progress: Progress,
  limits: RunnerLimits,
): Promise<MachineReport> {
  const ours = publicHalfOf(current)
  if (withoutComment(wanted) !== ours) {
    throw new RunnerFailure('bad_request', STEP, 'The runner itself does not use this key yet.')
  }
  const state = await look(ssh, progress, limits)
  const hasChanged = await timed(STEP, progress, async () => {
    const isAdded = await edit(ssh, addScript(ours), limits)
    const proof = await login(current)
    try {
      const isRemoved = former !== undefined && (await edit(proof, removeScript(publicHalfOf(former), ours), limits))
      if (former !== undefined) await requireShut(() => login(former))
      return isAdded || isRemoved
    } finally {
      proof.close()
    }
  })
  return report(state, ssh, { changed: hasChanged ? [STEP] : [], bytesSent: 0 })
}

/** @returns whether the file of keys is another one now */
async function edit(ssh: SshConnection, script: string, { stepMs }: RunnerLimits): Promise<boolean> {
  const { code, stdout, stderr } = await ssh.run(script, { step: STEP, limitMs: stepMs })
  if (code === 0) return stdout.trim() === CHANGED
  const output = lastLines(stderr || stdout)
  throw new RunnerFailure('step_failed', STEP, `The keys of the machine could not be changed.\n${output}`)
}

/** A server may read keys elsewhere, too: only what it refuses is gone. */
async function requireShut(login: () => Promise<SshConnection>): Promise<void> {
  try {
    const open = await login()
    open.close()
  } catch (error) {
    if (error instanceof RunnerFailure && error.code === 'auth_failed') return
    throw error
  }
  throw new RunnerFailure('step_failed', STEP, 'The former key is not in ~/.ssh/authorized_keys and still opens it.')
}

function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(' ')
}

/** Base64 has no character that a shell or awk would take for its own. Lines may begin with options; a file may end without a line feed. */
const addScript = (key: string) => `${OPEN_FILE}
awk -v key='${blobOf(key)}' ${HAS_KEY} "$file" && exit 0
awk 1 "$file" > "$new"
echo '${key} baal' >> "$new"
${REPLACE_FILE}`

/** Refuses to leave a file that does not let us in. */
const removeScript = (key: string, kept: string) => `${OPEN_FILE}
awk -v key='${blobOf(key)}' ${HAS_KEY} "$file" || exit 0
awk -v key='${blobOf(key)}' '{ for (i = 1; i <= NF; i++) if ($i == key) next; print }' "$file" > "$new"
awk -v key='${blobOf(kept)}' ${HAS_KEY} "$new" || { echo 'the new key is not in the file' >&2; exit 1; }
${REPLACE_FILE}`

const HAS_KEY = `'$1 !~ /^#/ { for (i = 1; i <= NF; i++) if ($i == key) found = 1 } END { exit !found }'`

const OPEN_FILE = `set -eu
umask 077
file="$HOME/.ssh/authorized_keys"
mkdir -p "$HOME/.ssh"
[ -e "$file" ] || : > "$file"
new=$(mktemp "$HOME/.ssh/.authorized_keys.XXXXXX")
trap 'rm -f "$new"' EXIT`

/** Written out before it takes the place of the old one: after a loss of power there is one or the other, never half. */
const REPLACE_FILE = `chmod 600 "$new"
sync "$new" || sync
mv -f "$new" "$file"
sync "$HOME/.ssh" || sync
echo ${CHANGED}`

function blobOf(publicKey: string): string {
  return publicKey.split(' ')[1] ?? ''
}
