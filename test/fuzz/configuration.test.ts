/** Environments of every kind, for the three programs: a configuration, or one line per wrong variable without its value. */
import { describe, expect, test } from 'vitest'
import { ConfigError as AgentConfigError, parseConfig as parseAgentConfig } from '../../agent-vm/config.ts'
import { parseConfig as parseRunnerConfig, ConfigError as RunnerConfigError } from '../../deploy-runner/config.ts'
import { parseConfig as parseWorkerConfig, ConfigError as WorkerConfigError } from '../../functions/config.ts'
import { Fuzzer } from './fuzzer.ts'

const WORKER = {
  PUBLIC_URL: 'https://baal.example',
  TELEGRAM_BOT_TOKEN: `7000000001:${'a'.repeat(35)}`,
  TELEGRAM_WEBHOOK_SECRET: 'planted-webhook-secret-0123',
  LIBERTAI_API_KEY: 'planted-model-key',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
  LIBSQL_URL: 'libsql://baal.example',
  BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
  WORKER_SIGNING_KEY: '{"planted":1}',
  ADMIN_IDS: '1, 2',
  POOL_MAX_SIZE: '3',
}
const AGENT = {
  AGENT_NAME: 'Rosa',
  SYSTEM_PROMPT: 'planted prompt',
  LIBERTAI_API_KEY: 'planted-model-key',
  AGENT_SECRET: 'planted-agent-secret',
  WORKSPACE_PATH: '/tmp/w',
  PORT: '8080',
  HEARTBEAT_INTERVAL: '60',
}
const RUNNER = {
  SSH_PRIVATE_KEY: '-----BEGIN OPENSSH PRIVATE KEY-----\nplanted\n-----END OPENSSH PRIVATE KEY-----',
  WORKER_PUBLIC_KEY: '{"kty":"OKP","crv":"Ed25519","x":"planted"}',
  PORT: '8080',
}

describe.each<[string, Record<string, string>, (env: Record<string, string>) => object, new () => Error]>([
  ['the Worker', WORKER, parseWorkerConfig, WorkerConfigError],
  ['the agent server', AGENT, parseAgentConfig, AgentConfigError],
  ['the deploy-runner', RUNNER, parseRunnerConfig, RunnerConfigError],
])('%s', (_name, right, parse, ConfigError) => {
  test('starts with what is right', () => {
    expect(parse({ ...right })).toBeTypeOf('object')
  })

  test('says which variable is wrong, in a line of its own, and never its value', () => {
    const fuzzer = new Fuzzer(41)
    let refused = 0
    for (let round = 0; round < 1_000; round++) {
      const wrong: Record<string, string> = {}
      for (const [name, value] of Object.entries(right)) {
        const odd = fuzzer.mangleJson(value)
        if (fuzzer.random() > 0.1) wrong[name] = typeof odd === 'string' ? odd : `planted ${JSON.stringify(odd)}`
      }
      try {
        parse(wrong)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        refused += 1
        expect(error.message).not.toContain('planted')
        for (const line of error.message.split(/\n|; /)) expect(line).toMatch(/^[A-Z_]+(\.\d+)?:? .{3,160}$/)
      }
    }
    expect(refused).toBeGreaterThan(100)
  })
})
