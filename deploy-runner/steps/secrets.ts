import { renderSecrets } from '../agent-files.ts'
import { differing } from './differing-files.ts'
import type { InstallStep, Plan } from './step.ts'

export const secrets: InstallStep = {
  name: 'secrets',
  holds: (plan, state) => differing(contents(plan), state).size === 0,
  apply: (plan, state) => ({
    files: differing(contents(plan), state),
    script: 'place files/secrets.json "$config/secrets.json" 400 root:root',
  }),
}

function contents({ wanted }: Plan) {
  return wanted.agent ? { 'secrets.json': Buffer.from(renderSecrets(wanted.agent.secrets)) } : {}
}
