// voidphone node: a whole node without a screen, until it is asked to stop.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Config, parseConfig } from '../config/index.ts';
import { chooseProvider } from '../crypto/index.ts';
import { formatIdentity } from '../identity/index.ts';
import { PlaceError, startNode, type VoidNode } from '../node/index.ts';
import { NetworkError, realRuntime } from '../runtime/index.ts';
import {
  type Command,
  CommandError,
  EXIT_OK,
  type Io,
  type OptionValues,
  text,
} from './command.ts';
import { MODULE_OPTIONS, moduleConfig, moduleLog } from './module.ts';
import { profileSecret } from './profile-secret.ts';

export const node: Command = {
  name: 'node',
  operands: '[--profile DIR] [-c FILE] [--passphrase-file FILE]',
  summary: 'Run a whole node without a screen, all modules in one process, until Ctrl-C.',
  details: [
    '  --profile DIR           its folder, made if it is not there; ~/.voidphone if left out',
    '  -c FILE                 the configuration; "voidphone help config" explains it. A hostkey in it is',
    '                          for single modules: a node has its own in the profile',
    '  --passphrase-file FILE  the first line of FILE is the passphrase of the profile',
    '',
    'The passphrase may also stand in the environment variable VOIDPHONE_PASSPHRASE. With neither, the',
    'profile is opened with a key that lies in it, readable by this user only: enough for a relay, not',
    'for a stolen disk. Modules with an api_address serve the specification’s API there.',
  ].join('\n'),
  options: {
    ...MODULE_OPTIONS,
    profile: { type: 'string' },
    'passphrase-file': { type: 'string' },
  },
  operandsMax: 0,
  async run(_operands, options, io) {
    const folder = text(options, 'profile') ?? join(homedir(), '.voidphone');
    const config = await nodeConfig(options, io);
    const running = await started(folder, config, options, io);
    io.out(`Profile ${folder}`);
    io.out(`Identity ${formatIdentity(running.hostkey.identity)}`);
    io.out('Running. Ctrl-C stops it.');
    await io.untilStopped();
    await running.stop();
    return EXIT_OK;
  },
};

/** Protocol 3.4 and docs/configuration.md: a whole node prefers anonymity where the specification leaves a choice. */
async function nodeConfig(options: OptionValues, io: Io): Promise<Config> {
  const isGiven = text(options, 'config') !== undefined;
  const { config } = isGiven
    ? await moduleConfig('node', options, io)
    : parseConfig('', 'defaults');
  return { ...config, global: { ...config.global, profile: config.global.profile ?? 'hardened' } };
}

async function started(
  folder: string,
  config: Config,
  options: OptionValues,
  io: Io,
): Promise<VoidNode> {
  const secret = await profileSecret(folder, text(options, 'passphrase-file'), io);
  try {
    return await startNode({
      folder,
      secret,
      config,
      runtime: realRuntime,
      crypto: chooseProvider(),
      log: moduleLog(io),
      onKeyProgress: (elapsedMs) => {
        io.note(`Making the identity of this profile … ${Math.round(elapsedMs / 1000)} s`);
      },
    });
  } catch (error) {
    if (error instanceof PlaceError) throw new CommandError(error.message);
    if (error instanceof NetworkError) throw new CommandError(`cannot listen: ${error.fault}`);
    throw error;
  }
}
