// voidphone selftest: can this machine do what VoidPhone needs? Cryptography, sound, ports.

import { type CryptoProvider, NONCE_BYTES, providers, TAG_BYTES } from '../crypto/index.ts';
import { type Address, NetworkError, realRng, realRuntime } from '../runtime/index.ts';
import { audioDevices } from './audio-devices.ts';
import { type Command, EXIT_FAILED, EXIT_OK, type Io, printJson, wholeNumber } from './command.ts';

/** The link's cell. */
const CELL_BYTES = 520;
/** About a tenth of a second with libsodium. */
const SPEED_CALLS = 50_000;
const SPEED_MS = 200;

export const selftest: Command = {
  name: 'selftest',
  operands: '[--port PORT] [--json]',
  summary: 'Check the cryptography, the audio devices and the ports of this machine.',
  details: [
    '  --port PORT  the UDP and TCP port to try; any free one if left out',
    '  --json       as JSON',
    '',
    'Exit code 1 when no crypto provider gives the right answers, or a port cannot be had.',
    'Missing sound is reported and no failure: a relay needs none.',
  ].join('\n'),
  options: { port: { type: 'string' }, json: { type: 'boolean' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const port = wholeNumber(options, 'port', { min: 1, max: 65_535, otherwise: 0 });
    const report = {
      crypto: cryptoReport(),
      audio: await audioDevices(),
      udp: await bindable({ ip: '0.0.0.0', port }, 'udp'),
      tcp: await bindable({ ip: '0.0.0.0', port }, 'tcp'),
    };
    if (options['json'] === true) printJson(io, report);
    else print(report, io);
    const works = report.crypto.some(({ ok }) => ok) && report.udp.ok && report.tcp.ok;
    return works ? EXIT_OK : EXIT_FAILED;
  },
};

interface ProviderReport {
  readonly name: string;
  readonly ok: boolean;
  /** Known answers it got wrong. */
  readonly wrong: readonly string[];
  readonly cellsPerSecond: number;
}

interface PortReport {
  readonly ok: boolean;
  readonly why: string;
}

interface Report {
  readonly crypto: readonly ProviderReport[];
  readonly audio: Awaited<ReturnType<typeof audioDevices>>;
  readonly udp: PortReport;
  readonly tcp: PortReport;
}

function cryptoReport(): ProviderReport[] {
  return providers().map(({ name, provider, wrong }) => ({
    name,
    ok: provider !== undefined && wrong.length === 0,
    wrong: provider === undefined ? ['does not load here'] : wrong,
    cellsPerSecond: provider === undefined ? 0 : cellsPerSecond(provider),
  }));
}

/** How many cells one core seals and opens. */
function cellsPerSecond(provider: CryptoProvider): number {
  const cell = new Uint8Array(CELL_BYTES + TAG_BYTES);
  const key = realRng.fill(new Uint8Array(32));
  const nonce = new Uint8Array(NONCE_BYTES);
  const aad = new Uint8Array(16);
  const { clock } = realRuntime;
  const startMs = clock.nowMs();
  let cells = 0;
  while (cells < SPEED_CALLS && clock.nowMs() < startMs + SPEED_MS) {
    provider.seal(cell, nonce, aad, key);
    provider.open(cell, nonce, aad, key);
    cells++;
  }
  return Math.round(cells / ((clock.nowMs() - startMs) / 1000));
}

async function bindable(local: Address, protocol: 'udp' | 'tcp'): Promise<PortReport> {
  const { network } = realRuntime;
  try {
    const socket =
      protocol === 'udp'
        ? await network.bindUdp(local, { onPacket: () => {} })
        : await network.listenTcp(local, () => ({ onData: () => {}, onClose: () => {} }));
    await socket.close();
    return { ok: true, why: `port ${socket.local.port} can be bound` };
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return { ok: false, why: `port ${local.port}: ${error.fault}` };
  }
}

function print({ crypto, audio, udp, tcp }: Report, io: Io): void {
  for (const { name, ok, wrong, cellsPerSecond: speed } of crypto) {
    const state = ok ? 'all known answers right' : wrong.join(', ');
    io.out(`crypto  ${name}: ${state}; ${speed.toLocaleString('en')} cells/s sealed and opened`);
  }
  if (audio.devices.length === 0) io.out(`audio   ${audio.why}`);
  for (const { name, inputs, outputs } of audio.devices) {
    io.out(`audio   ${name}: ${inputs} in, ${outputs} out`);
  }
  io.out(`udp     ${udp.why}`);
  io.out(`tcp     ${tcp.why}`);
}
