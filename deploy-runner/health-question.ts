/** Asking the agent on its own machine how it is: at the address in its settings, by the Node that it runs on. */

/** Beginning of both programs: `url` of `/health`, from the settings whose path is the first argument. */
const ADDRESS = `
const { HOST, PORT } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
const host = HOST === "0.0.0.0" ? "127.0.0.1" : HOST === "::" ? "[::1]" : HOST.includes(":") ? "[" + HOST + "]" : HOST
const url = "http://" + host + ":" + PORT + "/health"
const ask = (limit) => fetch(url, { signal: AbortSignal.timeout(limit) }).then((answer) => answer.json())
`

/** Who is down refuses at once; who is merely busy is given time, because silence costs it a restart. */
const ASK_ONCE = `${ADDRESS}
ask(15000).then((health) => process.stdout.write(JSON.stringify(health)), () => {})`

/** The version is asked for too: an older agent that still holds the port is not the one that was started. */
const waitProgram = (limitMs: number) => `${ADDRESS}
const until = Date.now() + ${limitMs}
let last = ""
const again = (why) => {
  last = why
  if (Date.now() < until) return setTimeout(look, 100)
  console.log("asked " + url + " for ${Math.round(limitMs / 1000)} s: " + last)
  process.exit(1)
}
const look = () => ask(3000).then(
  (health) => health.status === "ok" && health.version === process.argv[2] ? process.exit(0) : again("version " + health.version),
  (error) => again(error.cause?.code ?? error.name))
look()`

/** Shell: prints the agent's health as one line of JSON, or nothing. */
export const ASK_HEALTH = `"$node" -e '${ASK_ONCE}' "$config/agent.json" 2>/dev/null`

/** Shell: succeeds as soon as an agent of that version is healthy. */
export function waitForHealth(version: string, limitMs: number): string {
  return `"$node" -e '${waitProgram(limitMs)}' "$config/agent.json" ${version}`
}
