import { FILES_GROUP, SERVER_USER, TOOL_USER } from '../layout.ts'
import type { InstallStep } from './step.ts'

/** The server and its tools are different users, so that a tool cannot read what only the server may know. */
export const users: InstallStep = {
  name: 'users',
  holds: (_plan, state) => state.hasUsers,
  apply: () => ({
    script: `
getent group ${FILES_GROUP} >/dev/null || groupadd --system ${FILES_GROUP}
id ${SERVER_USER} >/dev/null 2>&1 || useradd --system --user-group --groups ${FILES_GROUP} --no-create-home --home-dir /var/lib/baal --shell /usr/sbin/nologin ${SERVER_USER}
id ${TOOL_USER} >/dev/null 2>&1 || useradd --system --gid ${FILES_GROUP} --no-create-home --home-dir /srv/baal/workspace --shell /bin/bash ${TOOL_USER}
`,
  }),
}
