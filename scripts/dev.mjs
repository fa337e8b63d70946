// npm run dev -- ARGS: the command line straight from the sources, started again at every change. Default: a node.

import { launch, node24, prepare, run } from './prepare.mjs';

await launch(async () => {
  await prepare();
  const args = process.argv.length > 2 ? process.argv.slice(2) : ['node'];
  return run(node24(), ['--watch', '--watch-preserve-output', 'core/cli.ts', ...args]);
});
