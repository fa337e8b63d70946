// Told to begin, opens the profile in the folder it is given and commits to it until it is killed. Every number it prints was committed
// before; "opening" and "open" say how far it is, and a StoreFault why it goes no further.

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { argv, stdin } from 'node:process';
import { randomBelow, randomBytes, realRng } from '../../runtime/index.ts';
import { openStore, type Store, StoreError } from '../index.ts';
import { optionsFor, PARTS } from './options.ts';

/** Up to two pages a row. */
const FILLING_BYTES_MAX = 8192;

// Node would write it at the end, which never comes.
flushCompileCache();
await once(stdin, 'data');
say('opening');
try {
  const store = await openStore(optionsFor(argv[2] ?? ''));
  say('open');
  writeForEver(store);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  say(error.fault);
}

function writeForEver({ sql }: Store): void {
  // Checkpoints at every few commits, so that some are hit.
  sql.script('pragma wal_autocheckpoint = 20');
  const last = sql.prepare<[], { number: number | undefined }>(
    'select max(number) number from commits',
  );
  const insert = sql.prepare<[number, number, Uint8Array]>('insert into commits values (?, ?, ?)');
  for (let number = (last.one()?.number ?? 0) + 1; ; number++) {
    sql.transaction(() => {
      for (let part = 0; part < PARTS; part++) {
        insert.run(number, part, randomBytes(realRng, randomBelow(realRng, FILLING_BYTES_MAX)));
      }
    });
    say(`${number}`);
  }
}

/** Not through process.stdout, which may keep it back. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
