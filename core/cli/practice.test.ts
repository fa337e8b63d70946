// The whole of it, as a newcomer has it: a practice network, and two nodes as processes of their own that join it and use
// one another through the specification's APIs.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../bytes/index.ts';
import { decodeRsaPublicKey } from '../crypto/index.ts';
import { type Identity, identityOf, parseIdentity } from '../identity/index.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import {
  type Connection,
  connectApi,
  DHT_API,
  type MessageOf,
  type MessageType,
  type ModuleApi,
  NSE_API,
  ONION_API,
  PORTMAP_APPS,
  RPS_API,
} from '../module-api/index.ts';
import { Feed } from '../onion/testing/feed.ts';
import { type Address, formatAddress, realRuntime } from '../runtime/index.ts';
import { freeAddress } from '../runtime/testing/free-address.ts';
import { CliProcess } from './testing/process.ts';

const PEERS = 5;
const ROUND_S = 15;
const MODULES = ['gossip', 'nse', 'rps', 'dht', 'onion'] as const;
type Module = (typeof MODULES)[number];

const folder = mkdtempSync(join(tmpdir(), 'voidphone-joining-'));
const running: CliProcess[] = [];

function voidphone(name: string, args: readonly string[]): CliProcess {
  const process = new CliProcess(name, args);
  running.push(process);
  return process;
}

/** A node that has joined. */
class Joined {
  readonly #name: string;
  readonly #config: string;
  readonly #apis: ReadonlyMap<Module, Address>;
  process: CliProcess;

  static async start(name: string, config: string): Promise<Joined> {
    const addresses = new Map<Module, Address>();
    for (const module of MODULES) addresses.set(module, await freeAddress());
    return new Joined(name, config, addresses);
  }

  private constructor(name: string, config: string, apis: ReadonlyMap<Module, Address>) {
    this.#name = name;
    this.#config = join(folder, `${name}.ini`);
    this.#apis = apis;
    const lines = [...apis].flatMap(([module, address]) => [
      `[${module}]`,
      `api_address = ${formatAddress(address)}`,
    ]);
    writeFileSync(this.#config, `${readFileSync(config, 'utf8')}\n${lines.join('\n')}\n`);
    this.process = this.start();
  }

  start(): CliProcess {
    const profile = join(folder, this.#name);
    this.process = voidphone(this.#name, ['node', '--profile', profile, '-c', this.#config]);
    return this.process;
  }

  api(module: Module): Address {
    const address = this.#apis.get(module);
    if (address === undefined) throw new Error(`no API of ${module}`);
    return address;
  }

  async identity(): Promise<Identity> {
    const line = await this.process.line('Identity ');
    return parseIdentity(line.replace('Identity ', ''));
  }
}

/** A connection to a module, and all it has said. */
class Client<In extends MessageType, Out extends MessageType> {
  readonly said = new Feed<MessageOf<Out>>();
  readonly #api: ModuleApi<In, Out>;
  readonly #address: Address;
  #connection: Connection<In> | undefined;

  constructor(api: ModuleApi<In, Out>, address: Address) {
    this.#api = api;
    this.#address = address;
  }

  async open(): Promise<this> {
    this.#connection = await connectApi({
      api: this.#api,
      address: this.#address,
      runtime: realRuntime,
      log: createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'warn' }),
      handler: { onMessage: (_connection, message) => this.said.add(message) },
    });
    return this;
  }

  send(message: MessageOf<In>): void {
    this.#connection?.send(message);
  }

  /** The first message, at `from` or behind it, that is so. */
  async next(isSo: (message: MessageOf<Out>) => boolean, what: string, from = 0) {
    const at = await this.said.until(isSo, what, from);
    return this.said.entries[at] as MessageOf<Out>;
  }

  end(): void {
    this.#connection?.end();
  }
}

let practice: CliProcess;
let joined: { readonly bootstrap: string[]; readonly network: string; readonly config: string };
let alice: Joined;
let bob: Joined;

beforeAll(async () => {
  practice = voidphone('practice', [
    ...['practice', '--peers', `${PEERS}`, '--round', `${ROUND_S}`, '--json'],
  ]);
  joined = JSON.parse(await practice.line('{'));
  alice = await Joined.start('alice', joined.config);
  bob = await Joined.start('bob', joined.config);
  await Promise.all([alice, bob].map(({ process }) => process.line('Running')));
}, 400_000);

afterAll(async () => {
  await Promise.all(running.map((process) => process.kill('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
});

describe('a practice network', { timeout: 300_000 }, () => {
  it('says how it is joined, in one line', () => {
    expect(joined.network).toMatch(/^practice-/);
    expect(joined.bootstrap).toHaveLength(2);
    for (const address of joined.bootstrap) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(readFileSync(joined.config, 'utf8')).toContain(`network = ${joined.network}`);
  });

  it('is seen by who joins it: random peers with their ports, and how many there are', async () => {
    const rps = await new Client(RPS_API, alice.api('rps')).open();
    const seen = new Set<string>();
    for (let i = 0; seen.size < 3; i++) {
      rps.send({ type: 'rps query' });
      const peer = await rps.next(() => true, 'alice is told of a peer', i);
      const ports = new Map(peer.portmap.map(({ app, port }) => [app, port]));
      for (const app of [PORTMAP_APPS.dht, PORTMAP_APPS.gossip, PORTMAP_APPS.onion]) {
        expect(ports.get(app)).toBeGreaterThan(0);
      }
      seen.add(Buffer.from(identityOf(decodeRsaPublicKey(peer.hostkey))).toString('hex'));
    }
    rps.end();
    const nse = await new Client(NSE_API, alice.api('nse')).open();
    nse.send({ type: 'nse query' });
    const { peers } = await nse.next(() => true, 'alice estimates');
    expect(peers).toBeGreaterThanOrEqual(2);
    nse.end();
  });

  it('finds hostkeys by identity, and keeps values', async () => {
    const [atAlice, atBob] = await Promise.all(
      [alice, bob].map((node) => new Client(DHT_API, node.api('dht')).open()),
    );
    const key = new Uint8Array(32).fill(7);
    const value = utf8('kept by others');
    atAlice?.send({ type: 'dht put', ttlS: 600, replication: 3, key, value });
    expect((await found(atBob, key)).value).toEqual(value);
    const identity = await bob.identity();
    const { value: hostkey } = await found(atAlice, identity);
    expect(identityOf(decodeRsaPublicKey(hostkey))).toEqual(identity);
    for (const client of [atAlice, atBob]) client?.end();
  });

  it('carries data through tunnels between who has joined, across a switch of rounds', async () => {
    const [atAlice, atBob] = await Promise.all([
      new Client(ONION_API, alice.api('onion')).open(),
      new Client(ONION_API, bob.api('onion')).open(),
    ]);
    const dht = await new Client(DHT_API, alice.api('dht')).open();
    const { value: hostkey } = await found(dht, await bob.identity());
    dht.end();
    const address = await onionAddressOf(alice, hostkey);
    atAlice.send({ type: 'onion tunnel build', address, hostkey });
    const ready = await atAlice.next(({ type }) => type === 'onion tunnel ready', 'READY');
    const incoming = await atBob.next(({ type }) => type === 'onion tunnel incoming', 'INCOMING');
    if (!('tunnelId' in ready) || !('tunnelId' in incoming)) throw new Error('no tunnel');
    const untilMs = realRuntime.clock.nowMs() + 1.5 * ROUND_S * 1000;
    for (let i = 0; i < 5 || realRuntime.clock.nowMs() < untilMs; i++) {
      const data = utf8(`word ${i}`);
      const isIt = (message: object): boolean =>
        'data' in message && equalBytes(message.data as Uint8Array, data);
      // What is under way at a switch may be lost: datagrams are.
      const [from, to, at] = i % 2 === 0 ? [atAlice, atBob, ready] : [atBob, atAlice, incoming];
      const repeated = realRuntime.timers;
      let done = false;
      const say = (): void => {
        if (done) return;
        from.send({ type: 'onion tunnel data', tunnelId: at.tunnelId, data });
        repeated.after(1000, say);
      };
      say();
      await to.next(isIt, `word ${i}`);
      done = true;
    }
    for (const client of [atAlice, atBob]) client.end();
  });

  it('lets a node go and come back as the same', async () => {
    const identity = await bob.identity();
    expect(await bob.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    bob.start();
    await bob.process.line('Running');
    expect(await bob.identity()).toEqual(identity);
    const dht = await new Client(DHT_API, bob.api('dht')).open();
    expect((await found(dht, new Uint8Array(32).fill(7))).value).toEqual(utf8('kept by others'));
    dht.end();
  });

  it('ends without leaving anything', async () => {
    expect(await practice.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(existsSync(dirname(joined.config))).toBe(false);
  });
});

/** Asked for until it is there: a value that was just put is on its way. */
async function found(
  dht: Client<'dht put' | 'dht get', 'dht success' | 'dht failure'> | undefined,
  key: Uint8Array,
): Promise<MessageOf<'dht success'>> {
  for (;;) {
    const asked = dht?.said.entries.length ?? 0;
    dht?.send({ type: 'dht get', key });
    const answer = await dht?.next(() => true, 'an answer of the DHT', asked);
    if (answer?.type === 'dht success') return answer;
    const { promise, resolve } = Promise.withResolvers<void>();
    realRuntime.timers.after(500, resolve);
    await promise;
  }
}

/** As peer sampling knows it. */
async function onionAddressOf(node: Joined, hostkey: Uint8Array): Promise<Address> {
  const rps = await new Client(RPS_API, node.api('rps')).open();
  for (let i = 0; ; i++) {
    rps.send({ type: 'rps query' });
    const peer = await rps.next(() => true, 'a peer', i);
    const port = peer.portmap.find(({ app }) => app === PORTMAP_APPS.onion)?.port;
    if (port !== undefined && equalBytes(peer.hostkey, hostkey)) {
      rps.end();
      return { ip: peer.address.ip, port };
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    realRuntime.timers.after(100, resolve);
    await promise;
  }
}
