import { describe, expect, test } from 'vitest'
import { listenAddress, renderCaddyfile, renderSecrets, renderSettings } from './agent-files.ts'

describe('the Caddyfile', () => {
  test('asks two authorities for the certificate of a public name, one after the other', () => {
    const tls = /tls \{\n([^}]*)\}/.exec(renderCaddyfile('words.2n6.me'))?.[1]
    expect(tls?.trim().split(/\s*\n\s*/)).toEqual(['issuer acme', 'issuer zerossl'])
  })

  test.each(['agent.test', 'box.internal', 'localhost'])('asks none for %s, which none would sign', (domain) => {
    expect(renderCaddyfile(domain)).toContain('tls internal')
    expect(renderCaddyfile(domain)).not.toContain('issuer')
  })

  test('names no program in any answer: the agent’s, its absence, the way to https', () => {
    const caddyfile = renderCaddyfile('words.2n6.me')
    expect(caddyfile).toMatch(/\(nameless\) \{\s*header -Server\s*header -Via\s*\}/)
    for (const block of ['words.2n6.me', 'handle_errors', 'http://words.2n6.me'])
      expect(caddyfile.slice(caddyfile.indexOf(`${block} {`))).toMatch(/^[^{]*\{\s*(tls \{[^}]*\}\s*)?import nameless/)
  })

  test('passes everything to the agent at once, for answers that are read as they come', () => {
    expect(renderCaddyfile('words.2n6.me')).toMatch(/reverse_proxy 127\.0\.0\.1:8080 \{\s*flush_interval -1/)
  })
})

test('behind Caddy the agent listens to its own machine alone', () => {
  expect(listenAddress({ kind: 'caddy', domain: 'words.2n6.me' })).toEqual({ host: '127.0.0.1', port: 8080 })
  expect(listenAddress({ kind: 'direct', host: '10.0.0.5', port: 9000 })).toEqual({ host: '10.0.0.5', port: 9000 })
})

test('settings hold no secret and secrets nothing else', () => {
  const settings = renderSettings(
    {
      agent_id: 'a1',
      name: 'Rosa',
      system_prompt: 'Be brief.',
      model: 'glm-4.7',
      owner_chat_id: '42',
      libertai_base_url: 'https://worker.test/v1',
      callback_url: 'https://worker.test/agents/a1/pending',
    },
    { host: '127.0.0.1', port: 8080, data: '/var/lib/baal', workspace: '/srv/baal/workspace', toolUser: 'baal-tools' },
  )
  expect(Object.keys(JSON.parse(settings)).filter((name) => /SECRET|KEY/.test(name))).toEqual([])
  expect(JSON.parse(renderSecrets({ agent_secret: 'planted-secret-of-it', libertai_api_key: 'bk-planted' }))).toEqual({
    AGENT_SECRET: 'planted-secret-of-it',
    LIBERTAI_API_KEY: 'bk-planted',
  })
})
