// voidphone node: a headless node with its profile, until it is asked to stop.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { chooseProvider } from '../crypto/index.ts';
import { formatIdentity } from '../identity/index.ts';
import { startNode } from '../node.ts';
import { realRuntime } from '../runtime/index.ts';
import { type Command, EXIT_OK, text } from './command.ts';
import { profileSecret } from './profile-secret.ts';

export const node: Command = {
  name: 'node',
  operands: '[--profile DIR] [--passphrase-file FILE]',
  summary: 'Run a headless node: open the profile, or make it, and stay until Ctrl-C.',
  details: [
    '  --profile DIR           its folder; ~/.voidphone if left out',
    '  --passphrase-file FILE  the first line of FILE is the passphrase of the profile',
    '',
    'The passphrase may also stand in the environment variable VOIDPHONE_PASSPHRASE. With neither, the',
    'profile is opened with a key that lies in it, readable by this user only: enough for a relay, not',
    'for a stolen disk.',
    'This version has no network modules yet: the node keeps its identity and waits for them.',
  ].join('\n'),
  options: { profile: { type: 'string' }, 'passphrase-file': { type: 'string' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const folder = text(options, 'profile') ?? join(homedir(), '.voidphone');
    const secret = await profileSecret(folder, text(options, 'passphrase-file'), io);
    const running = await startNode({
      folder,
      secret,
      runtime: realRuntime,
      crypto: chooseProvider(),
      onKeyProgress: (elapsedMs) => {
        io.note(`Making the identity of this profile … ${Math.round(elapsedMs / 1000)} s`);
      },
    });
    io.out(`Profile ${folder}`);
    io.out(`Identity ${formatIdentity(running.hostkey.identity)}`);
    io.out('Running. This version has no network modules yet. Ctrl-C stops it.');
    await io.untilStopped();
    await running.stop();
    return EXIT_OK;
  },
};
