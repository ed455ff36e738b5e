import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes the longest begins first: begun last it would be waited for alone. Without an earlier run vitest goes by size. */
const LONG = [
  'test/story/story.test.ts',
  'functions/chat/delivery-trouble.test.ts',
  'functions/chat/delivery.test.ts',
  'deploy-runner/',
  'local/operator/deploy.test.ts',
  'functions/chat/every-screen.test.ts',
  'functions/chat/delivery',
  'functions/inference/gateway-trouble.test.ts',
  'test/',
]

/** Minutes long: with `npm run test:commands` and `npm run test:endurance`, not with `npm test`. */
const WIDER = ['test/story/commands.test.ts', 'test/crash/**', 'test/provision/chaos.test.ts']

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.includes(`/${name}`))
      return place < 0 ? LONG.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    // Real processes and sockets: a slow machine must not turn a passing test into a failing one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    include: ['{functions,agent-vm,deploy-runner,local}/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      ...['**/node_modules/**', 'test/browser/**', 'test/vm/**', 'test/load/**'],
      ...(process.env.BAAL_WIDER ? [] : WIDER),
    ],
    reporters: ['default'],
    pool: 'forks',
    // Half of the time is spent waiting for processes and budgets: more workers than the two processors of the smallest machine.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
  },
})
