// npm run voidphone -- ARGS: the command line, built if need be.

import { build, launch, node24, prepare, run } from './prepare.mjs';

await launch(async () => {
  await prepare();
  await build();
  return run(node24(), ['dist/core/cli.js', ...process.argv.slice(2)], {
    cwd: process.env.INIT_CWD,
  });
});
