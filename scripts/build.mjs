// npm run build: compiles into dist/.

import { build, launch, prepare } from './prepare.mjs';

await launch(async () => {
  await prepare();
  await build();
});
