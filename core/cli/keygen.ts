// voidphone keygen: makes a hostkey file.

import { createHostkey, formatIdentity, saveHostkey } from '../identity/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { type Command, EXIT_OK, printJson, text } from './command.ts';

export const keygen: Command = {
  name: 'keygen',
  operands: '[--out FILE] [--json]',
  summary: 'Make a hostkey (RSA-4096) and print the identity it stands for.',
  details: [
    '  --out FILE  where to write it; hostkey.pem if left out. An existing file is never overwritten.',
    '  --json      as JSON',
  ].join('\n'),
  options: { out: { type: 'string' }, json: { type: 'boolean' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const file = text(options, 'out') ?? 'hostkey.pem';
    const hostkey = await createHostkey(realRuntime, (elapsedMs) => {
      io.note(`Making a hostkey … ${Math.round(elapsedMs / 1000)} s`);
    });
    await saveHostkey(file, hostkey);
    const identity = formatIdentity(hostkey.identity);
    if (options['json'] === true) printJson(io, { file, identity });
    else io.out(`${file}\n${identity}`);
    return EXIT_OK;
  },
};
