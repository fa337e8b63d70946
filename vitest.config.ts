import { defineConfig } from 'vitest/config';

// Forks, not threads: native add-ons and processes killed on purpose are part of the tests.
export default defineConfig({
  test: {
    include: ['core/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
