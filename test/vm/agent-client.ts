/** Talks to the agent as the world does: over TLS to Caddy on the machine, trusting the authority that Caddy made for itself. */
import { Agent, request } from 'node:https'
import { expect } from 'vitest'
import type { VirtualMachine } from './virtual-machine.ts'

const AUTHORITY = '/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt'
/** Making a certificate, or starting Node, takes its time on an emulated machine. */
const ANSWER_LIMIT_MS = 120_000

export interface AgentAddress {
  readonly domain: string
  readonly secret: string
}

export interface AgentClient {
  get(path: string): Promise<string>
  chat(message: string, turnId: string, chatId?: string): Promise<string>
  /** Until Caddy has its certificate and the agent behind it answers. @returns its health */
  answers(): Promise<{ version: string }>
}

export function agentClient(vm: VirtualMachine, { domain, secret }: AgentAddress): AgentClient {
  const get = (path: string) => send('GET', path)
  return {
    get,
    chat: (message, turnId, chatId = 'c1') => send('POST', '/chat', { message, chat_id: chatId, turn_id: turnId }),
    async answers() {
      let health = ''
      const isUp = () =>
        get('/health').then(
          (text) => {
            health = text
            return text.includes('"ok"')
          },
          () => false,
        )
      await expect.poll(isUp, { timeout: ANSWER_LIMIT_MS, interval: 500 }).toBe(true)
      return JSON.parse(health)
    },
  }

  async function send(method: string, path: string, body?: object): Promise<string> {
    const agent = new Agent({ ca: await vm.sh(`cat ${AUTHORITY}`), servername: domain })
    return new Promise((resolve, reject) => {
      const headers = { host: domain, authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
      const call = request({ agent, method, path, host: '127.0.0.1', port: vm.httpsPort, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
        response.on('error', reject)
      })
      call.on('error', reject)
      call.end(body ? JSON.stringify(body) : undefined)
    })
  }
}
