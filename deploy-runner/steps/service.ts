import { listenAddress, renderSecrets, renderSettings } from '../agent-files.ts'
import { sha256 } from '../artifacts.ts'
import { fingerprint } from '../generation.ts'
import type { MachineState } from '../inspect.ts'
import { LAUNCHER } from '../launcher.ts'
import { AGENT_PORT, SERVICE_NAME, TOOL_USER } from '../layout.ts'
import { SUPERVISOR, UNIT } from '../service-files.ts'
import { START_SERVICE, STOP_SERVICE } from '../supervision.ts'
import { bundle } from './bundle.ts'
import { differing } from './differing-files.ts'
import { runtime } from './runtime.ts'
import { secrets } from './secrets.ts'
import type { InstallStep, Plan } from './step.ts'

/** The agent as a service with its settings. Anything it is made of that changes starts it anew. */
export const service: InstallStep = {
  name: 'service',
  holds: (plan, state) =>
    [runtime, bundle, secrets].every((step) => step.holds(plan, state)) &&
    differing(contents(plan, state), state).size === 0 &&
    // Files alone do not tell what the running process was started with: a cut may have come in between.
    state.appliedService === serviceFingerprint(plan, state) &&
    state.runningVersion === plan.artifacts.agentVersion,
  apply: (plan, state) => ({
    files: differing(contents(plan, state), state),
    script: `
rm -f "$config/applied-service"
[ ! -f files/agent.json ] || place files/agent.json "$config/agent.json" 400 root:root
${state.mode === 'systemd' ? START_UNIT : START_SUPERVISOR}
`,
  }),
}

/** What the service runs with, written down on the machine once it is healthy. */
export function serviceFingerprint(plan: Plan, state: MachineState): string {
  const { wanted, artifacts } = plan
  const { 'agent.json': settings, service: unit } = contents(plan, state)
  return fingerprint({
    nodeVersion: artifacts.runtime.version,
    hashes: {
      'agent.mjs': sha256(artifacts.bundle),
      'launch.mjs': sha256(LAUNCHER),
      service: sha256(unit),
      ...(settings ? { 'agent.json': sha256(settings) } : {}),
      ...(wanted.agent ? { 'secrets.json': sha256(renderSecrets(wanted.agent.secrets)) } : {}),
    },
  })
}

function contents({ wanted: { agent, ingress } }: Plan, { mode, home }: MachineState) {
  const listen = listenAddress(ingress ?? { kind: 'direct', host: '127.0.0.1', port: AGENT_PORT })
  const place =
    mode === 'systemd'
      ? { ...listen, data: '/var/lib/baal', workspace: '/srv/baal/workspace', toolUser: TOOL_USER }
      : { ...listen, data: `${home}/baal/data`, workspace: `${home}/baal/workspace` }
  return {
    ...(agent ? { 'agent.json': Buffer.from(renderSettings(agent.settings, place)) } : {}),
    service: Buffer.from(mode === 'systemd' ? UNIT : SUPERVISOR),
  }
}

const START_UNIT = `
if [ -f files/service ]; then
  place files/service "$service" 644 root:root
  # Enabling reloads everything by itself; once is enough, and it is the slowest part.
  systemctl enable -q --no-reload ${SERVICE_NAME}
  systemctl daemon-reload
else
  systemctl is-enabled -q ${SERVICE_NAME} || systemctl enable -q ${SERVICE_NAME}
fi
systemctl reset-failed ${SERVICE_NAME} 2>/dev/null || true
systemctl restart ${SERVICE_NAME}
`

const START_SUPERVISOR = `
[ ! -f files/service ] || place files/service "$service" 700 -
${STOP_SERVICE.plain}
grep -qsF "$service" "$HOME/rc.local" || echo "sh '$service' < /dev/null > /dev/null 2>&1 &" >> "$HOME/rc.local"
chmod 700 "$HOME/rc.local"
${START_SERVICE.plain}
`
