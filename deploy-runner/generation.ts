/**
 * A generation is all that decides how an agent's server runs: runtime, bundle, launcher, unit and settings. The one that was
 * last known to be good stays on the machine while another takes its place, and comes back when that does not answer.
 */
import { FORMER_DATABASE_SUFFIX } from '../agent-vm/protocol.ts'
import { sha256 } from './artifacts.ts'
import { MANAGED, type MachineState, type ManagedName } from './inspect.ts'

/** Beside them goes the runtime itself, where the machine has its own. */
export const GENERATION_FILES = ['agent.mjs', 'launch.mjs', 'agent.json', 'service'] as const satisfies ManagedName[]

export interface Generation {
  readonly nodeVersion: string
  readonly hashes: Readonly<Partial<Record<ManagedName, string>>>
}

/** Written down on the machine once the agent has answered. Of the secrets, too, because a change of those starts it anew. */
export function fingerprint({ nodeVersion, hashes }: Generation): string {
  return sha256(JSON.stringify([nodeVersion, ...GENERATION_FILES.map((name) => hashes[name]), hashes['secrets.json']]))
}

/** All is as it was when the agent last answered: a cut, or somebody else's hand, would show. */
export function isKnownGood(state: MachineState): boolean {
  return state.appliedService === fingerprint(state)
}

/**
 * Shell, before anything of it is replaced: what is there becomes the one former generation. By links where the disk can, so that
 * the runtime, by far the largest part, lies there once. Secrets are none of it: the Worker knows only the present ones.
 * @param secretsHash what the secrets will be by the time somebody goes back
 */
export function keepFormer({ nodeVersion, hashes }: Generation, secretsHash: string): string {
  const applied = fingerprint({ nodeVersion, hashes: { ...hashes, 'secrets.json': secretsHash } })
  return `
keep() { [ ! -f "$1" ] || ln "$1" "$base/former.new/$2" 2>/dev/null || cp -p "$1" "$base/former.new/$2"; }
rm -rf "$base/former.new"
mkdir -m 700 "$base/former.new"
keep "$base/bin/node" node
${GENERATION_FILES.map((name) => `keep "${MANAGED[name]}" ${name}`).join('\n')}
printf %s ${applied} > "$base/former.new/applied-service"
rm -rf "$base/former" "$data"/*.db${FORMER_DATABASE_SUFFIX}*
mv "$base/former.new" "$base/former"
`
}

/** Shell, once the new generation has answered: nobody goes back any more. */
export const FORGET_FORMER = `rm -rf "$base/former" "$data"/*.db${FORMER_DATABASE_SUFFIX}*`
