// One gossip machine for tests: inputs go in, and what it wants comes out in short form or whole.

import { utf8 } from '../../bytes/index.ts';
import type { Opinion } from '../../module-api/index.ts';
import { type Address, type Rng, SeededRng } from '../../runtime/index.ts';
import { Gossip, type GossipOptions } from '../gossip.ts';
import { decodeItem, type ItemId } from '../item.ts';
import type { NeighbourId } from '../neighbours.ts';
import type { GossipInput, GossipOutput } from '../port.ts';
import type { GossipMessage } from '../wire.ts';
import {
  addressOf,
  at,
  encodedItem,
  FREE_TYPE,
  NETWORK_ID,
  openTestDescriptor,
  solveNow,
  testPeer,
} from './fixtures.ts';

/** The number of the node under test. */
export const SELF = 0;

export function gossipOptions(rng: Rng, changes: Partial<GossipOptions> = {}): GossipOptions {
  return {
    rng,
    networkId: NETWORK_ID,
    identity: testPeer(SELF).identity,
    degree: 6,
    cacheSize: 100,
    inboundMax: 30,
    bootstrappers: [],
    hidesOrigin: false,
    allowPrivate: false,
    saved: undefined,
    openDescriptor: openTestDescriptor,
    hasProof: () => true,
    ...changes,
  };
}

export interface Joining {
  readonly dataTypes?: readonly number[];
  readonly address?: Address;
  /** When it is we who called. */
  readonly dial?: number;
  /** The channel's number, if not that of the node. */
  readonly id?: NeighbourId;
}

export class Machine {
  readonly gossip: Gossip;
  nowMs = 0;
  /** Neighbours answer to PING, at once. */
  isAnswered = false;
  /** All outputs since the last `take`; proofs of work are found at once. */
  readonly #outputs: GossipOutput[] = [];

  constructor(changes: Partial<GossipOptions> = {}, seed = 1) {
    this.gossip = new Gossip(gossipOptions(new SeededRng(seed), changes), at(0));
  }

  handle(input: GossipInput): this {
    for (const output of this.gossip.handle(input, at(this.nowMs))) this.#act(output);
    return this;
  }

  take(): readonly GossipOutput[] {
    return this.#outputs.splice(0);
  }

  takeOf<T extends GossipOutput['type']>(type: T): readonly (GossipOutput & { type: T })[] {
    return this.take().filter((one): one is GossipOutput & { type: T } => one.type === type);
  }

  /** What it sends in messages of this type, and to whom. */
  takeSent<T extends GossipMessage['type']>(
    type: T,
  ): readonly { readonly to: NeighbourId; readonly message: GossipMessage & { type: T } }[] {
    return this.takeOf('send').flatMap(({ to, message }) =>
      message.type === type ? [{ to, message: message as GossipMessage & { type: T } }] : [],
    );
  }

  say(from: NeighbourId, message: GossipMessage): this {
    return this.handle({ type: 'message', from, message });
  }

  /** A neighbour who calls us and says HELLO; its number is that of the channel too. */
  join(number: number, { dataTypes = [], ...place }: Joining = {}): this {
    const address = place.address ?? addressOf(number);
    const peer = testPeer(number, { address });
    const dial = place.dial;
    this.handle({ type: 'connected', neighbour: place.id ?? number, peer, address, dial });
    return this.say(place.id ?? number, { type: 'hello', dataTypes });
  }

  /** Lets time pass, with all ticks that fall due. */
  wait(ms: number): this {
    const untilMs = this.nowMs + ms;
    while (this.gossip.nextDeadlineMs() <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.gossip.nextDeadlineMs());
      this.handle({ type: 'tick' });
    }
    this.nowMs = untilMs;
    return this;
  }

  #act(output: GossipOutput): void {
    if (output.type === 'solve') {
      this.handle({ type: 'solved', proof: output.proof, nonce: solveNow(output.task) });
    } else if (this.isAnswered && output.type === 'send' && output.message.type === 'ping') {
      this.say(output.to, { type: 'pong', nonce: output.message.nonce });
    } else this.#outputs.push(output);
  }
}

export const CLIENT = 1;
export const OTHER_CLIENT = 2;
export const [ALICE, BOB, CAROL] = [11, 12, 13];

export function pushOf(text: string, ttl = 255): GossipMessage & { type: 'push' } {
  return { type: 'push', item: encodedItem(utf8(text), { ttl }) };
}

export function idOf(push: { readonly item: Uint8Array }): ItemId {
  return decodeItem(push.item, NETWORK_ID).id;
}

/** A machine with these neighbours and one client that wants FREE_TYPE, all greetings over. */
export function running(neighbours: readonly number[], options: Partial<GossipOptions> = {}) {
  const machine = new Machine(options);
  machine.handle({ type: 'notify', client: CLIENT, dataType: FREE_TYPE }).wait(0);
  for (const number of neighbours) machine.join(number, { dataTypes: [FREE_TYPE] });
  machine.wait(50).take();
  return machine;
}

export function notificationsOf(outputs: readonly GossipOutput[]) {
  return outputs.flatMap((output) => (output.type === 'notification' ? [output] : []));
}

/** Approves of everything that was notified; what comes of it. */
export function approve(machine: Machine, opinion: Opinion = 'pass on'): readonly GossipOutput[] {
  const outputs = machine.take();
  for (const { client, messageId } of notificationsOf(outputs)) {
    machine.handle({ type: 'validation', client, messageId, opinion });
  }
  return outputs;
}

export function scoreOf(machine: Machine, number: NeighbourId): number | undefined {
  const { neighbours } = machine.gossip.status(machine.nowMs);
  return neighbours.find(({ address }) => address.ip === `20.${number}.0.1`)?.score;
}

export function messageOf(output: GossipOutput | undefined): { client: number; messageId: number } {
  if (output?.type !== 'notification') throw new Error('no notification');
  return { client: output.client, messageId: output.messageId };
}
