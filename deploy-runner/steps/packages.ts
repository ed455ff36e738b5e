import type { InstallStep, Plan } from './step.ts'

/** A machine that has just booted updates its own packages and holds dpkg's lock for a while: wait instead of failing. */
const APT = 'apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::Languages=none'
/** The lists have a lock of their own, for which `update` does not wait before apt 2.9; nor does `dpkg` for its own. */
const LOCK_TRIES = 60
const LOCK_PAUSE_S = 5

/**
 * Caddy from the distribution's archive, unless the agent is reached without it.
 *
 * Lists that are there already are nearly always good enough: they are fetched, and an interrupted installation is finished,
 * only where the package cannot be had as things are. What apt prints goes into a file, because a package is left half
 * installed when dpkg prints to a connection that has been cut.
 */
export const packages: InstallStep = {
  name: 'packages',
  holds: (plan, state) => state.mode === 'plain' || state.hasCaddy || isDirect(plan),
  apply: () => ({
    script: `
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
quietly() { "$@" >> apt.log 2>&1 9>&-; }
install_caddy() { quietly ${APT} install -y --no-install-recommends caddy; }
unlocked() {
  tries=0
  until quietly "$@"; do
    tries=$((tries + 1))
    tail -n 3 apt.log | grep -qE 'Could not get lock|locked by another process' && [ $tries -lt ${LOCK_TRIES} ] || return 0
    sleep ${LOCK_PAUSE_S}
  done
}
install_caddy || {
  unlocked dpkg --configure -a
  unlocked ${APT} update
  install_caddy
} || { tail -n 12 apt.log; exit 1; }
rm apt.log
`,
  }),
}

function isDirect({ wanted }: Plan): boolean {
  return wanted.ingress?.kind === 'direct'
}
