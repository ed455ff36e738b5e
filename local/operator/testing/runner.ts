/** For tests: a deploy-runner that really answers and checks signatures, without anything to install. */
import { serve } from '@hono/node-server'
import { createApp } from '../../../deploy-runner/app.ts'
import { createAuthenticate } from '../../../deploy-runner/authenticate.ts'
import { generateSshKeyPair } from '../../../deploy-runner/ssh-key-pair.ts'

export interface TestRunner {
  readonly url: string
  close(): Promise<void>
}

export async function startTestRunner(
  publicKey: object,
  sshPrivateKey = generateSshKeyPair().private,
  formerSshPrivateKey?: string,
): Promise<TestRunner> {
  const app = createApp({
    authenticate: await createAuthenticate(publicKey),
    artifacts: {
      bundle: Buffer.from(''),
      agentVersion: 'abcdef012345',
      templates: [],
      templatesHash: '',
      runtime: { version: 'v24.0.0', arch: 'x86_64', member: () => Promise.reject(new Error('nothing to install')) },
    },
    sshPrivateKey,
    formerSshPrivateKey,
    log: () => undefined,
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
  return {
    url: `http://127.0.0.1:${await promise}`,
    close: () => new Promise((done) => server.close(() => done())),
  }
}
