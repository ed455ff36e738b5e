import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // An emulated machine is 5 to 20 times slower than a real one, and boots once for all tests of a file.
    testTimeout: 10 * 60_000,
    hookTimeout: 20 * 60_000,
    include: ['test/vm/**/*.test.ts'],
    reporters: ['verbose'],
    pool: 'forks',
    fileParallelism: false,
    bail: 1,
  },
})
