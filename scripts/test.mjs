// npm test: installs what is missing, then types, lint and format, and every test; the last line counts everything.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, launch, prepare, ROOT, run, say } from './prepare.mjs';

const REPORT = join(ROOT, '.cache', 'tests.json');

/** Each counts as one test. */
const CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint and format', command: 'biome', args: ['ci', '--log-level=warn'] },
];

await launch(async () => {
  await prepare();
  await build();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, command, args } of CHECKS) {
    say(`Checking ${name} …`);
    if ((await run(command, args)) === 0) counts.passed++;
    else {
      counts.failed++;
      say(`${name}: failed`);
    }
  }
  await tests(counts);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  return counts.failed === 0 ? 0 : 1;
});

/** Arguments narrow the run to some files: npm test -- core/link. */
async function tests(counts) {
  rmSync(REPORT, { force: true });
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const code = await run('vitest', ['run', ...reporters, ...process.argv.slice(2)]);
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests;
  counts.skipped += report.numPendingTests + report.numTodoTests;
  // A file that cannot be loaded, or an error outside every test, fails the run without failing a test.
  if (code !== 0 && report.numFailedTests === 0) counts.failed++;
}
