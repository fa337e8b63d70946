// voidphone identity: what a hostkey stands for, and its public half for handing on.

import { toHex } from '../bytes/index.ts';
import {
  encodePublicKeyPem,
  formatIdentity,
  formatShortIdentity,
  loadHostkey,
} from '../identity/index.ts';
import { type Command, EXIT_OK, printJson } from './command.ts';

export const identity: Command = {
  name: 'identity',
  operands: '[FILE] [--json]',
  summary: 'Print the identity of a hostkey file, and the public hostkey to give to friends.',
  details: ['  FILE    a private hostkey; hostkey.pem if left out', '  --json  as JSON'].join('\n'),
  options: { json: { type: 'boolean' } },
  operandsMax: 1,
  async run([file = 'hostkey.pem'], options, io) {
    const { hostkey, warning } = await loadHostkey(file);
    if (warning !== undefined) io.note(warning);
    const facts = {
      identity: formatIdentity(hostkey.identity),
      short: formatShortIdentity(hostkey.identity),
      hex: toHex(hostkey.identity),
      publicKey: encodePublicKeyPem(hostkey.publicKey),
    };
    if (options['json'] === true) printJson(io, facts);
    else io.out(`${facts.identity}\n\n${facts.publicKey.trimEnd()}`);
    return EXIT_OK;
  },
};
