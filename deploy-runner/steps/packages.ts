import type { InstallStep, Plan } from './step.ts'

/** A machine that has just booted updates its own packages and holds dpkg's lock for a while: wait instead of failing. */
const APT = 'apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3'

/** Caddy from the distribution's archive, unless the agent is reached without it. */
export const packages: InstallStep = {
  name: 'packages',
  holds: (plan, state) => state.mode === 'plain' || state.hasCaddy || isDirect(plan),
  apply: () => ({
    // `update` alone has no lock timeout before apt 2.9: the lists' lock is tried for as long by hand.
    script: `
export DEBIAN_FRONTEND=noninteractive
tries=0
until ${APT} update 9>&-; do
  tries=$((tries + 1))
  [ $tries -lt 20 ] || { echo 'apt-get update failed'; exit 1; }
  sleep 5
done
dpkg --configure -a 9>&-
${APT} install -y --no-install-recommends caddy 9>&-
`,
  }),
}

function isDirect({ wanted }: Plan): boolean {
  return wanted.ingress?.kind === 'direct'
}
