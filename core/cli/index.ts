import type { Command } from './command.ts';
import { dht } from './dht.ts';
import { gossip } from './gossip.ts';
import { helpCommand } from './help.ts';
import { identity } from './identity.ts';
import { keygen } from './keygen.ts';
import { node } from './node.ts';
import { nse } from './nse.ts';
import { onion } from './onion.ts';
import { practice } from './practice.ts';
import { rps } from './rps.ts';
import { selftest } from './selftest.ts';
import { version } from './version.ts';

const help = helpCommand(() => commands);

export const commands: readonly Command[] = [
  help,
  version,
  selftest,
  keygen,
  identity,
  node,
  practice,
  onion,
  gossip,
  nse,
  rps,
  dht,
];

export type { Io } from './command.ts';
export { runCommand } from './run.ts';
