// voidphone practice: a network of complete nodes on this computer, until it is asked to stop.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../bytes/index.ts';
import { chooseProvider, KEY_BYTES } from '../crypto/index.ts';
import { PRACTICE_PEERS, type PracticeNetwork, startPractice } from '../node/index.ts';
import {
  formatAddress,
  NetworkError,
  randomBytes,
  realRuntime,
  writeFileAtomic,
} from '../runtime/index.ts';
import {
  type Command,
  CommandError,
  EXIT_OK,
  type Io,
  type OptionValues,
  wholeNumber,
} from './command.ts';
import { moduleLog } from './module.ts';

/** Long enough for the proofs of work of a call, short enough to watch a switch. */
const ROUND_S = { min: 5, max: 3600, otherwise: 60 };

export const practice: Command = {
  name: 'practice',
  operands: '[--peers N] [--round SECONDS] [--json]',
  summary: 'Run a network of complete nodes on this computer, to try things out, until Ctrl-C.',
  details: [
    `  --peers N        how many nodes, ${PRACTICE_PEERS.min} to ${PRACTICE_PEERS.max}; ${PRACTICE_PEERS.default} if left out`,
    `  --round SECONDS  how long a tunnel lives; ${ROUND_S.otherwise} if left out`,
    '  --json           print one line of JSON once the network stands: bootstrap, network, and config,',
    '                   the file with which "voidphone node -c FILE" joins',
    '',
    'Everything is in a temporary folder, which is removed at the end.',
  ].join('\n'),
  options: { peers: { type: 'string' }, round: { type: 'string' }, json: { type: 'boolean' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const peers = wholeNumber(options, 'peers', {
      ...PRACTICE_PEERS,
      otherwise: PRACTICE_PEERS.default,
    });
    const folder = await mkdtemp(join(tmpdir(), 'voidphone-practice-'));
    const stopping = new AbortController();
    const stopped = io.untilStopped().then(() => stopping.abort());
    try {
      const network = await started(folder, peers, options, { io, signal: stopping.signal });
      if (network === undefined) return EXIT_OK;
      try {
        await tell(network, folder, options, io);
        await stopped;
      } finally {
        await network.stop();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return EXIT_OK;
  },
};

async function started(
  folder: string,
  peers: number,
  options: OptionValues,
  { io, signal }: { readonly io: Io; readonly signal: AbortSignal },
): Promise<PracticeNetwork | undefined> {
  try {
    return await startPractice({
      peers,
      roundSeconds: wholeNumber(options, 'round', ROUND_S),
      folderOf: (peer) => join(folder, `peer-${peer + 1}`),
      secret: { key: randomBytes(realRuntime.rng, KEY_BYTES) },
      runtime: realRuntime,
      crypto: chooseProvider(),
      log: moduleLog(io, 'error'),
      signal,
      onProgress: ({ running, standing }) =>
        io.note(
          standing === 0
            ? `${running} of ${peers} nodes run`
            : `${standing} of ${peers} nodes have a tunnel`,
        ),
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof NetworkError) throw new CommandError(`cannot listen: ${error.fault}`);
    throw error;
  }
}

async function tell(
  { network, bootstrappers, config }: PracticeNetwork,
  folder: string,
  { json }: OptionValues,
  io: Io,
): Promise<void> {
  const file = join(folder, 'join.ini');
  await writeFileAtomic(file, utf8(config), { mode: 0o600, existing: 'replace' });
  const bootstrap = bootstrappers.map(formatAddress);
  if (json === true) {
    io.out(JSON.stringify({ bootstrap, network, config: file }));
    return;
  }
  io.out(`The practice network ${network} stands.`);
  io.out(`Join it with: voidphone node --profile DIR -c ${file}`);
  io.out('Ctrl-C ends it, and removes all of it.');
}
