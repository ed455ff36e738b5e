import { LAUNCHER } from '../launcher.ts'
import { differing } from './differing-files.ts'
import type { InstallStep, Plan } from './step.ts'

export const bundle: InstallStep = {
  name: 'bundle',
  holds: (plan, state) => differing(contents(plan), state).size === 0,
  apply: (plan, state) => ({
    files: differing(contents(plan), state),
    script: `
[ ! -f files/agent.mjs ] || place files/agent.mjs "$base/agent.mjs" 644 root:root
[ ! -f files/launch.mjs ] || place files/launch.mjs "$base/launch.mjs" 644 root:root
`,
  }),
}

function contents({ artifacts }: Plan) {
  return { 'agent.mjs': artifacts.bundle, 'launch.mjs': Buffer.from(LAUNCHER) }
}
