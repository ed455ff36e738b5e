/** Ending the supervising loop of a machine without systemd, and the agent under it. */

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
