/**
 * A generation is all that decides how an agent's server runs: runtime, bundle, launcher, unit and settings; and with it goes
 * how the world reaches it. The one that was last known to be good stays on the machine while another takes its place, and comes
 * back when that does not answer. On trial it stays longer: until somebody has looked from outside.
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

/** Shell: nobody goes back any more. */
export const FORGET_FORMER = `rm -rf "$base/former" "$data"/*.db${FORMER_DATABASE_SUFFIX}*`

/** The trial whose new generation has answered on the machine, while the former one is still kept. */
export const ON_TRIAL = '"$base/former/answered"'
/** The last trial that ended with the former generation. */
export const ROLLED_BACK = '"$base/rolled-back"'

/** Shell: whether that file names this trial. A deployment without one is never the same. */
export function isTrial(file: string, trial: string | undefined): string {
  return trial === undefined ? 'false' : `[ "$(cat ${file} 2>/dev/null)" = ${trial} ]`
}

/** Shell, before a deployment: what another trial has kept is too old by now to bring back by itself. */
export function forgetOtherTrials(trial: string | undefined): string {
  return `[ ! -f ${ON_TRIAL} ] || ${isTrial(ON_TRIAL, trial)} || ${FORGET_FORMER}`
}

/**
 * Shell, before anything of it is replaced: what is there becomes the one former generation. By links where the disk can, so that
 * the runtime, by far the largest part, lies there once. Secrets are none of it: the Worker knows only the present ones. Asked
 * again in the same trial, what ran before it stays the former one.
 * @param secretsHash what the secrets will be by the time somebody goes back
 */
export function keepFormer(state: MachineState, secretsHash: string, trial: string | undefined): string {
  const applied = fingerprint({ ...state, hashes: { ...state.hashes, 'secrets.json': secretsHash } })
  const hasIngress = state.appliedIngress !== '' && state.appliedIngress === state.hashes.Caddyfile
  return `
keep() { [ ! -f "$1" ] || ln "$1" "$base/former.new/$2" 2>/dev/null || cp -p "$1" "$base/former.new/$2"; }
if ! ${isTrial(ON_TRIAL, trial)}; then
  rm -rf "$base/former.new"
  mkdir -m 700 "$base/former.new"
  keep "$base/bin/node" node
  ${GENERATION_FILES.map((name) => `keep "${MANAGED[name]}" ${name}`).join('\n  ')}
  ${hasIngress ? `keep "${MANAGED.Caddyfile}" Caddyfile` : ''}
  printf %s ${applied} > "$base/former.new/applied-service"
  ${FORGET_FORMER}
  mv "$base/former.new" "$base/former"
fi
`
}

/** Shell, once everything is in place and the agent has answered; only then is it written down as good. */
export function concludeScript(applied: string, trial: string | undefined): string {
  return `
${trial === undefined ? FORGET_FORMER : `[ ! -d "$base/former" ] || printf %s ${trial} > ${ON_TRIAL}`}
printf %s ${applied} > "$config/applied-service.new"
mv -f "$config/applied-service.new" "$config/applied-service"
`
}
