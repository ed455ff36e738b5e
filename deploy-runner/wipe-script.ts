/** Ends an agent for good: stopped, secrets overwritten before they are removed, data and users gone. Safe to repeat. */
import { FILES_GROUP, LAYOUT_SCRIPT, SERVER_USER, SERVICE_NAME, TAKE_LOCK_SCRIPT, TOOL_USER } from './layout.ts'
import { STOP_SUPERVISOR } from './supervision.ts'

export const WIPE_SCRIPT = `set -u
umask 077
${TAKE_LOCK_SCRIPT}
${LAYOUT_SCRIPT}
destroy() {
  for file in "$@"; do
    if [ -f "$file" ]; then shred -u "$file" 2>/dev/null || rm -f "$file"; fi
  done
}
if [ $mode = systemd ]; then
  systemctl disable -q --now ${SERVICE_NAME} 2>/dev/null || true
  systemctl disable -q --now caddy 2>/dev/null || true
else
  ${STOP_SUPERVISOR}
  if [ -f "$HOME/rc.local" ]; then
    grep -vF "$service" "$HOME/rc.local" > "$HOME/rc.local.new" || true
    chmod 700 "$HOME/rc.local.new"
    mv -f "$HOME/rc.local.new" "$HOME/rc.local"
  fi
fi
destroy "$HOME/.baal-staging/files/secrets.json" "$config/secrets.json" "$config/agent.json" "$base/former/agent.json" "$data"/*
rm -rf "$HOME/.baal-staging" "$base" "$config" "$data" "$workspace"
if [ $mode = systemd ]; then
  # What left the service's own group of processes all the same.
  if command -v pkill >/dev/null; then pkill -KILL -u ${TOOL_USER} 2>/dev/null; fi
  find /var/lib/caddy -name '*.key' -type f -exec shred -u {} + 2>/dev/null
  rm -rf /srv/baal "$service" /etc/caddy/Caddyfile /var/lib/caddy/.local
  systemctl daemon-reload
  journalctl -q --rotate 2>/dev/null
  journalctl -q --vacuum-time=1s >/dev/null 2>&1
  userdel ${TOOL_USER} 2>/dev/null
  userdel ${SERVER_USER} 2>/dev/null
  groupdel ${FILES_GROUP} 2>/dev/null
fi
rm -f "$HOME/.baal-lock"
for path in "$base" "$config" "$data" "$workspace"; do
  if [ -e "$path" ]; then echo "$path could not be removed" >&2; exit 1; fi
done
if [ $mode = systemd ] && id ${TOOL_USER} >/dev/null 2>&1; then echo 'a user could not be removed' >&2; exit 1; fi
exit 0
`
