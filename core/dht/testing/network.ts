// A network of production drivers over Rpc without links, in a simulated world. Hostkeys only look like such, and proofs
// of work are taken as given: what is shown is what nodes do, not what it costs.

import { equalBytes } from '../../bytes/index.ts';
import { type RsaPublicKey, sha256 } from '../../crypto/index.ts';
import { identityOf, type NodeDescriptor } from '../../identity/index.ts';
import type { Rpc } from '../../rpc/index.ts';
import { MemoryNetwork, type MemoryRpc } from '../../rpc/testing/memory.ts';
import { type Rng, randomBytes, shuffled } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import { type Contact, toContact } from '../contact.ts';
import { DhtNode } from '../driver.ts';
import { HostileRing } from './hostile.ts';
import { fakePublicKey } from './keys.ts';
import { MemoryShelf } from './shelf.ts';

export const NETWORK_ID = new Uint8Array(16).fill(0x4e);
const PORT = 4000;

export interface SimNode {
  readonly host: Host;
  readonly contact: Contact;
  readonly publicKey: RsaPublicKey;
  readonly shelf: MemoryShelf;
  readonly rpc: MemoryRpc;
  readonly node: DhtNode;
}

export interface NetworkOptions {
  readonly paths?: number;
  readonly loss?: number;
}

export class Network {
  readonly nodes: SimNode[] = [];
  readonly ring: HostileRing;
  /** Whether one may reach the other; a test sets it to part the network. */
  mayReach: (from: Contact, to: Contact['identity']) => boolean = () => true;
  readonly #world: World;
  readonly #rng: Rng;
  readonly #paths: number;
  readonly #memory: MemoryNetwork;
  #count = 0;

  constructor(world: World, { paths = 4, loss = 0 }: NetworkOptions = {}) {
    this.#world = world;
    this.#rng = world.rng('network');
    this.#paths = paths;
    this.ring = new HostileRing(world.rng('hostile'), () => world.time.wallMs());
    const latencyMs = { min: 10, max: 60 };
    const { time } = world;
    this.#memory = new MemoryNetwork({
      timers: time,
      clock: time,
      rng: this.#rng,
      latencyMs,
      loss,
    });
  }

  /** A new node; or one that was there, with its key and its disk. */
  start(before?: SimNode, offsetMs = 0): SimNode {
    const host = before?.host ?? this.#world.host(`node ${++this.#count}`, { offsetMs });
    const publicKey = before?.publicKey ?? fakePublicKey(this.#rng);
    const shelf = before?.shelf ?? new MemoryShelf();
    const contact = toContact(identityOf(publicKey), { ip: host.ip, port: PORT });
    const runtime = host.start(() => undefined);
    const rpc = this.#join(contact, publicKey);
    const node = new DhtNode({
      runtime,
      rpc: this.#gated(contact, rpc),
      networkId: NETWORK_ID,
      publicKey,
      paths: this.#paths,
      allowPrivate: false,
      seeds: { sample: async (count) => this.sample(count) },
      shelf,
      verifyPow: () => true,
      verifySigned: () => true,
      solve: async () => randomBytes(this.#rng, 8),
    });
    const started = { host, contact, publicKey, shelf, rpc, node };
    this.nodes.push(started);
    return started;
  }

  startAll(count: number): void {
    for (let i = 0; i < count; i++) this.start();
  }

  startHostile(count: number): void {
    for (let i = 0; i < count; i++) {
      const host = this.#world.host(`hostile ${++this.#count}`);
      const publicKey = fakePublicKey(this.#rng);
      const contact = toContact(identityOf(publicKey), { ip: host.ip, port: PORT });
      this.ring.join(contact, this.#join(contact, publicKey));
    }
  }

  /** The plug pulled. */
  crash(victim: SimNode): void {
    victim.host.crash();
    void victim.rpc.stop();
    this.nodes.splice(this.nodes.indexOf(victim), 1);
  }

  /** As RPS would: any node, hostile ones too. */
  sample(count: number): readonly Contact[] {
    const all = [...this.nodes.map(({ contact }) => contact), ...this.ring.members];
    return shuffled(this.#rng, all).slice(0, count);
  }

  /** A value of `bytes`, under its hash or under any key. */
  value(bytes: number, isContent = true): { readonly key: Uint8Array; readonly value: Uint8Array } {
    const value = randomBytes(this.#rng, bytes);
    return { key: isContent ? sha256(value) : randomBytes(this.#rng, 32), value };
  }

  /** Which of the GETs, each at a random node, bring the value. */
  async found(
    values: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[],
  ): Promise<number> {
    const answers = values.map(async ({ key, value }) => {
      const [reader] = shuffled(this.#rng, this.nodes);
      const answer = await reader?.node.get(key);
      return answer !== undefined && equalBytes(answer, value);
    });
    const all = await this.#world.complete(Promise.all(answers), 10_000);
    return all.filter((isRight) => isRight).length;
  }

  #join(contact: Contact, publicKey: RsaPublicKey): MemoryRpc {
    const { identity, address } = contact;
    return this.#memory.join({ identity, address, descriptor: descriptorOf(contact, publicKey) });
  }

  #gated(from: Contact, rpc: MemoryRpc): Rpc {
    const nowhere = { ip: '255.255.255.255', port: 1 };
    return {
      call: (to, question, done) =>
        rpc.call(
          this.mayReach(from, to.identity) ? to : { ...to, address: nowhere },
          question,
          done,
        ),
      callAnew: (to, question, done) => rpc.callAnew(to, question, done),
      serve: (service, handler) => rpc.serve(service, handler),
      peerOf: (identity) => rpc.peerOf(identity),
      get status() {
        return rpc.status;
      },
      stop: () => rpc.stop(),
    };
  }
}

/** Of a node that says where it is; nobody looks at the rest. */
function descriptorOf({ identity, address }: Contact, publicKey: RsaPublicKey): NodeDescriptor {
  return {
    serial: 1,
    notBeforeS: 0,
    notAfterS: 1,
    flags: { relay: false, dht: true, mailbox: false, streamOnly: false },
    linkDh: new Uint8Array(32),
    opSign: new Uint8Array(32),
    addresses: [{ transport: 'udp', ...address }],
    ports: { dht: address.port, gossip: 0, nse: 0, onion: 0 },
    powEpoch: 0,
    powNonce: new Uint8Array(8),
    publicKey,
    identity,
    encoded: new Uint8Array(),
  };
}
