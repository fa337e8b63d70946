// npm start: from a plain clone to a running program.

import { build, launch, node24, prepare, run, say } from './prepare.mjs';

await launch(async () => {
  await prepare();
  await build();
  say(
    'The desktop app is not part of this version yet: starting a headless node. Ctrl-C stops it.',
  );
  return run(node24(), ['dist/core/cli.js', 'node', ...process.argv.slice(2)]);
});
