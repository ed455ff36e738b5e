import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Real processes and sockets: a slow machine must not turn a passing test into a failing one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    include: ['{functions,agent-vm,deploy-runner,local}/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/browser/**', 'test/vm/**', 'test/load/**'],
    reporters: ['default'],
    pool: 'forks',
    // Most of the time is spent waiting for processes, not computing.
    maxWorkers: 2,
  },
})
