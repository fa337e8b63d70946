// npm run bench [-- NAME] [--json FILE]: see bench/README.md.

import { build, launch, node24, prepare, run } from './prepare.mjs';

await launch(async () => {
  await prepare();
  await build();
  return run(node24(), ['--expose-gc', 'bench/main.ts', ...process.argv.slice(2)]);
});
