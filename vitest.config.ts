import { defineConfig } from 'vitest/config';

// Forks, not threads: native add-ons and processes killed on purpose are part of the tests.
export default defineConfig({
  test: {
    include: ['core/**/*.test.ts'],
    pool: 'forks',
    // For a test that hangs: whole simulated networks take half a minute on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
