import { waitForHealth } from '../health-question.ts'
import { SERVICE_NAME } from '../layout.ts'
import { service } from './service.ts'
import type { InstallStep } from './step.ts'

/** What the installer ends with when everything is in place and the agent still does not answer. */
export const UNHEALTHY_EXIT_CODE = 70

/** The service, once started, answers. */
export const health: InstallStep = {
  name: 'health',
  holds: service.holds,
  apply: (plan, state) => ({
    script: `
if ! ${waitForHealth(plan.artifacts.agentVersion, plan.limits.healthMs)}; then
  ${state.mode === 'systemd' ? `journalctl -u ${SERVICE_NAME} -n 10 --no-pager -o cat || true` : 'tail -n 10 "$base/agent.log" || true'}
  exit ${UNHEALTHY_EXIT_CODE}
fi
`,
  }),
}
