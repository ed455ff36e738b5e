import { renderCaddyfile } from '../agent-files.ts'
import { sha256 } from '../artifacts.ts'
import { differing } from './differing-files.ts'
import type { InstallStep, Plan } from './step.ts'

/** Caddy with the machine's own domain. Already on a machine that is only prepared: by the time it is needed it has its certificate. */
export const ingress: InstallStep = {
  name: 'ingress',
  holds: (plan, state) => {
    const caddyfile = wantedCaddyfile(plan)
    if (!caddyfile) return true
    return (
      state.hasCaddy &&
      state.caddyRuns &&
      state.appliedIngress === sha256(caddyfile) &&
      differing({ Caddyfile: caddyfile }, state).size === 0
    )
  },
  apply: (plan, state) => {
    const caddyfile = wantedCaddyfile(plan) ?? Buffer.alloc(0)
    return {
      files: differing({ Caddyfile: caddyfile }, state),
      script: `
rm -f "$config/applied-ingress"
[ ! -f files/Caddyfile ] || place files/Caddyfile /etc/caddy/Caddyfile 644 root:root
systemctl is-enabled -q caddy || systemctl enable -q caddy
systemctl reload-or-restart caddy || { journalctl -u caddy -n 10 --no-pager -o cat; exit 1; }
printf %s ${sha256(caddyfile)} > "$config/applied-ingress"
`,
    }
  },
}

function wantedCaddyfile({ wanted }: Plan): Buffer | undefined {
  return wanted.ingress?.kind === 'caddy' ? Buffer.from(renderCaddyfile(wanted.ingress.domain)) : undefined
}
