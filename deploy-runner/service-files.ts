/** What keeps the agent running: a hardened systemd unit, or a supervising loop where there is no systemd or no root. */
import { FILES_GROUP, SERVER_USER } from './layout.ts'

/**
 * The server runs as `baal`, its tools as `baal-tools`. To switch users without being root it holds three capabilities; they
 * are all it can ever hold (bounding set), and `setpriv` drops them for the tools before anything of theirs runs. With
 * NoNewPrivileges no set-user-id program gives anything back, so the tools stay what they are. The alternative, a main
 * process as root that starts both, would leave a root process that reads what comes from the network.
 *
 * Settings and secrets come by LoadCredential: root-only at rest, readable by the server's user alone while it runs.
 * RestrictSUIDSGID stays off: the workspace shares its group by set-group-id folders, and programs that unpack archives set
 * such bits; without new privileges they give nothing.
 */
export const UNIT = `# Written by Baal; changes are overwritten.
[Unit]
Description=Baal agent
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User=${SERVER_USER}
Group=${FILES_GROUP}
UMask=0007
# One arena: several threads' worth of freed memory would never be given back.
Environment=NODE_ENV=production MALLOC_ARENA_MAX=1
LoadCredential=agent.json:/etc/baal/agent.json
LoadCredential=secrets.json:/etc/baal/secrets.json
WorkingDirectory=/var/lib/baal
ExecStart=/opt/baal/bin/node /opt/baal/launch.mjs
Restart=always
RestartSec=2
TimeoutStopSec=15
AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/baal /srv/baal/workspace
InaccessiblePaths=-/etc/baal -/root -/var/lib/caddy -/var/log/journal -/run/log/journal
ProtectHome=yes
ProtectProc=invisible
PrivateTmp=yes
PrivateDevices=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
LimitCORE=0
MemoryMax=85%
# A command that eats the memory ends; the server stays.
OOMPolicy=continue
TasksMax=1024

[Install]
WantedBy=multi-user.target
`

/** Starts the agent again when it ends, slower while it keeps ending at once. */
export const SUPERVISOR = `#!/bin/sh
# Written by Baal; changes are overwritten.
cd "$(dirname "$0")" || exit 1
umask 077
echo $$ > supervise.pid
export BAAL_CONFIG="$PWD/config" NODE_ENV=production MALLOC_ARENA_MAX=1
node=bin/node
[ -x "$node" ] || node=node
pause=1
child=
stop() {
  trap '' TERM INT
  if [ -n "$child" ]; then kill "$child" 2>/dev/null; wait "$child"; fi
  rm -f supervise.pid agent.pid
  exit 0
}
trap stop TERM INT
while :; do
  [ -f agent.log ] && [ "$(wc -c < agent.log)" -gt 1000000 ] && mv agent.log agent.log.1
  started=$(date +%s)
  "$node" launch.mjs >> agent.log 2>&1 < /dev/null &
  child=$!
  echo "$child" > agent.pid
  wait "$child"
  child=
  [ $(($(date +%s) - started)) -gt 30 ] && pause=1
  sleep "$pause" &
  wait $!
  [ "$pause" -lt 30 ] && pause=$((pause * 2))
done
`
