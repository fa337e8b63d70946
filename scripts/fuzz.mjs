// npm run fuzz [-- RUNS [SEED]]: the property tests of every decoder, with many more runs and another seed. A failure
// prints both.

import { launch, prepare, run, say } from './prepare.mjs';

await launch(async () => {
  await prepare();
  const [runs = '20000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
  say(
    `Fuzzing with ${runs} runs per property and seed ${seed}; again with: npm run fuzz -- ${runs} ${seed}`,
  );
  process.env.FUZZ_RUNS = runs;
  process.env.FUZZ_SEED = seed;
  return run('vitest', ['run', '--testTimeout=3600000', '-t', 'hostile']);
});
