import type { InstallStep } from './step.ts'

/** Node itself comes with us: the machine downloads nothing. A systemd machine always gets its own copy, which no upgrade changes. */
export const runtime: InstallStep = {
  name: 'runtime',
  holds: ({ artifacts }, state) => state.nodeVersion === artifacts.runtime.version,
  apply: () => ({
    runtime: true,
    script: `
place files/node "$base/bin/node" 755 root:root
node="$base/bin/node"
"$node" --version
`,
  }),
}
