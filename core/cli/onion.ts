// voidphone onion: the Onion module as a process of its own, between the APIs of RPS and of its clients.

import { lookup } from 'node:dns/promises';
import { DecodeError } from '../bytes/index.ts';
import { type Config, ConfigError, readConfig } from '../config/index.ts';
import { chooseProvider, type PowTask, solvePow, verifyPow } from '../crypto/index.ts';
import { type Hostkey, loadHostkey } from '../identity/index.ts';
import { createLogger, lineSink, saltedTags } from '../log/index.ts';
import { OnionApi, OnionNode, openGuardsFile, RpsPeers, startPlaneThread } from '../onion/index.ts';
import {
  type Address,
  FileError,
  type HostPort,
  NetworkError,
  realRng,
  realRuntime,
} from '../runtime/index.ts';
import { type Command, CommandError, EXIT_OK, type Io, text, UsageError } from './command.ts';

export const onion: Command = {
  name: 'onion',
  operands: '-c FILE',
  summary: 'Run the Onion module alone, speaking the specification’s API.',
  details: [
    '  -c FILE  the configuration: sections [onion], [rps] and [link], and the global options;',
    '           "voidphone help config" explains them',
  ].join('\n'),
  options: { config: { type: 'string', short: 'c' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const file = text(options, 'config');
    if (file === undefined) throw new UsageError('A configuration is needed: -c FILE.');
    const { config, warnings } = await readConfig(file);
    for (const warning of warnings) io.note(warning);
    const settings = required(config, file);
    const { hostkey, warning } = await loadHostkey(settings.hostkey);
    if (warning !== undefined) io.note(warning);
    await runOnion({ config, settings, hostkey, guardsPath: `${file}.guards` }, io);
    return EXIT_OK;
  },
};

interface Required {
  readonly hostkey: string;
  readonly apiAddress: HostPort;
  readonly rpsAddress: HostPort;
  readonly p2p: HostPort;
}

/** What the module cannot do without, all that is missing told at once. */
function required({ global, onion: own, rps }: Config, file: string): Required {
  const { hostkey } = global;
  const { api_address: apiAddress, p2p_hostname: host, p2p_port: port } = own;
  const rpsAddress = rps.api_address;
  const missing = Object.entries({
    'hostkey, before the first section,': hostkey,
    '[onion] api_address': apiAddress,
    '[onion] p2p_hostname': host,
    '[onion] p2p_port': port,
    '[rps] api_address': rpsAddress,
  }).flatMap(([name, value]) => (value === undefined ? [`${file}: ${name} is missing`] : []));
  if (
    hostkey === undefined ||
    apiAddress === undefined ||
    rpsAddress === undefined ||
    host === undefined ||
    port === undefined
  ) {
    throw new ConfigError(missing);
  }
  return { hostkey, apiAddress, rpsAddress, p2p: { host, port } };
}

interface OnionRun {
  readonly config: Config;
  readonly settings: Required;
  readonly hostkey: Hostkey;
  /** Where the guards are kept, if there are any. */
  readonly guardsPath: string;
}

async function runOnion(run: OnionRun, io: Io): Promise<void> {
  const { config, settings } = run;
  const log = createLogger({
    sink: lineSink({ print: io.note, show: saltedTags(realRng) }),
    clock: realRuntime.clock,
    level: 'info',
  }).child('onion');
  const common = { runtime: realRuntime, log, allowPrivate: config.global.allow_private };
  const apiAddress = await resolved(settings.apiAddress, '[onion] api_address');
  const rpsAddress = await resolved(settings.rpsAddress, '[rps] api_address');
  const p2p = await resolved(settings.p2p, '[onion] p2p_hostname');
  const guards = await guardsAt(run.guardsPath, guardCount(config), io);
  const node = Promise.withResolvers<OnionNode>();
  const api = new OnionApi({ ...common, address: apiAddress, node: node.promise });
  const rps = new RpsPeers({ ...common, address: rpsAddress });
  try {
    await listening(api.listen(), '[onion] api_address');
    const options = { ...common, ...optionsOf(run, p2p), guards };
    const samplePeers = (count: number) => rps.sample(count);
    const started = OnionNode.start({ ...options, samplePeers }, (event) => api.onEvent(event));
    const running = await listening(started, '[onion] p2p_hostname and p2p_port');
    node.resolve(running);
    io.out('Onion module running. Ctrl-C stops it.');
    await io.untilStopped();
    await running.stop();
  } finally {
    await Promise.all([api.stop(), rps.stop()]);
  }
  await guards.flush();
}

function optionsOf({ config, hostkey }: OnionRun, p2p: Address) {
  const { proxy } = config.link;
  return {
    hostkey,
    provider: chooseProvider(),
    network: config.global.network,
    roundSeconds: config.onion.round,
    hops: config.onion.hops,
    maxCircuits: config.onion.max_circuits,
    listen: { udp: p2p, tcp: p2p, ...(proxy === undefined ? {} : { proxy }) },
    startPlane: startPlaneThread,
    solve: (task: PowTask) => solvePow(task),
    verify: verifyPow,
  };
}

/** With none the file is neither read nor made. */
async function guardsAt(path: string, count: number, io: Io) {
  if (count === 0) return { count, saved: [], save: () => {}, flush: async () => {} };
  try {
    return { count, ...(await openGuardsFile(path, ({ message }) => io.note(message))) };
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(error.message);
    if (error instanceof DecodeError) {
      throw new CommandError(`${path}: ${error.message}; delete it to draw new guards`);
    }
    throw error;
  }
}

function guardCount({ global, onion: own }: Config): number {
  return own.guards ?? (global.profile === 'hardened' ? 2 : 0);
}

/** Names in our own configuration are the operator's; nothing of another node is ever resolved. */
async function resolved({ host, port }: HostPort, option: string): Promise<Address> {
  try {
    const { address } = await lookup(host);
    return { ip: address, port };
  } catch {
    throw new CommandError(`${option}: ${host} has no address`);
  }
}

async function listening<T>(work: Promise<T>, option: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NetworkError) throw new CommandError(`${option}: ${error.fault}`);
    throw error;
  }
}
