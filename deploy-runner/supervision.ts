/** Starting and ending the agent with what it has on its machine: by systemd, or by a supervising loop where there is none. */
import { SERVICE_NAME } from './layout.ts'

/**
 * The supervisor first, or it would start the agent again. A process id that was kept over a restart of the machine may be
 * somebody else's by now: only what runs our script is ended.
 */
export const STOP_SUPERVISOR = `
is_ours() {
  if [ -r "/proc/$1/cmdline" ]; then tr '\\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -qF "$2"
  else ps -p "$1" -o args= 2>/dev/null | grep -qF "$2"; fi
}
end_process() {
  [ -f "$1" ] || return 0
  old=$(cat "$1")
  if [ -n "$old" ] && is_ours "$old" "$2"; then
    kill "$old" 2>/dev/null || true
    tries=0
    while is_ours "$old" "$2" && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -9 "$old" 2>/dev/null || true
  fi
  rm -f "$1"
}
end_process "$base/supervise.pid" supervise.sh
end_process "$base/agent.pid" launch.mjs
`

/** Anew with whatever unit, settings and program are there. */
export const START_SERVICE: Readonly<Record<'systemd' | 'plain', string>> = {
  systemd: `systemctl daemon-reload
systemctl reset-failed ${SERVICE_NAME} 2>/dev/null || true
systemctl restart ${SERVICE_NAME}`,
  plain: `if command -v setsid >/dev/null; then setsid sh "$service" < /dev/null > /dev/null 2>&1 9>&- &
else nohup sh "$service" < /dev/null > /dev/null 2>&1 9>&- & fi`,
}

export const STOP_SERVICE: Readonly<Record<'systemd' | 'plain', string>> = {
  systemd: `systemctl stop ${SERVICE_NAME}`,
  plain: STOP_SUPERVISOR,
}
