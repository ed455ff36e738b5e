/** The files that make an agent out of a prepared machine, as the deployment asks for them. */

import { AGENT_PORT } from './layout.ts'
import type { AgentSecrets, AgentSettings, Ingress } from './protocol.ts'

/** What the agent server's environment says (its own configuration, without secrets). */
export function renderSettings(
  agent: AgentSettings,
  place: { host: string; port: number; data: string; workspace: string; toolUser?: string },
): string {
  const environment: Record<string, string | undefined> = {
    AGENT_NAME: agent.name,
    SYSTEM_PROMPT: agent.system_prompt,
    MODEL: agent.model,
    LIBERTAI_BASE_URL: agent.libertai_base_url,
    OWNER_CHAT_ID: agent.owner_chat_id,
    CALLBACK_URL: agent.callback_url,
    HEARTBEAT_INTERVAL: agent.heartbeat_interval?.toString(),
    MAX_CONTEXT_TOKENS: agent.max_context_tokens?.toString(),
    HOST: place.host,
    PORT: String(place.port),
    DB_PATH: `${place.data}/agent.db`,
    WORKSPACE_PATH: place.workspace,
    TOOL_USER: place.toolUser,
  }
  return `${JSON.stringify(environment, null, 2)}\n`
}

export function renderSecrets(secrets: AgentSecrets): string {
  return `${JSON.stringify({ AGENT_SECRET: secrets.agent_secret, LIBERTAI_API_KEY: secrets.libertai_api_key }, null, 2)}\n`
}

/** Behind Caddy only the machine itself may reach the agent; without it, whoever reaches the given address. */
export function listenAddress(ingress: Ingress): { host: string; port: number } {
  return ingress.kind === 'caddy' ? { host: '127.0.0.1', port: AGENT_PORT } : { host: ingress.host, port: ingress.port }
}

/** Names that no public authority signs for get a certificate of Caddy's own authority. */
const INTERNAL_NAME = /(^|\.)(test|localhost|internal|local)$/

/**
 * Nothing that it answers says by what program or version: not the agent's answers, its absence, or the way to https.
 * Two authorities: the domain's registrar limit at one is shared with everybody under the same registered domain.
 */
export function renderCaddyfile(domain: string): string {
  const internal = INTERNAL_NAME.test(domain)
  const tls = internal ? '\ttls internal' : '\ttls {\n\t\tissuer acme\n\t\tissuer zerossl\n\t}'
  return `# Written by Baal; changes are overwritten.
${internal ? '{\n\tskip_install_trust\n}\n' : ''}(nameless) {
	header -Server
	header -Via
}
${domain} {
${tls}
	import nameless
	reverse_proxy 127.0.0.1:${AGENT_PORT} {
		flush_interval -1
	}
	handle_errors {
		import nameless
		respond "" {http.error.status_code}
	}
}
http://${domain} {
	import nameless
	redir https://{host}{uri} 308
}
`
}
