// Attacks 7 and 33 of protocol 12: what somebody sees who has the whole line of one node, three minutes idle and three
// minutes with DATA in every slot, and the work the node does meanwhile. Only this node builds tunnels here, so all its
// packets are those of one circuit, and what its links say for themselves.

import { beforeAll, describe, expect, it } from 'vitest';
import { CELL_BYTES, DATAGRAM_BYTES } from '../link/index.ts';
import { type Sighting, simulate, type World } from '../sim/index.ts';
import { BODY_BYTES, INNER_DATA_MAX } from './geometry.ts';
import type { Peer } from './peer.ts';
import { countingProvider } from './testing/counting.ts';
import { SimNetworkOfOnions, type SimOnion } from './testing/sim-onion.ts';
import { onionTiming } from './timing.ts';

const CLIENT = 1;
const ROUND_SECONDS = 300;
const TIMING = onionTiming(ROUND_SECONDS);
const WINDOW_SECONDS = 180;
const SLOTS_PER_SECOND = 1000 / TIMING.tickMs;
const SLOTS = WINDOW_SECONDS * SLOTS_PER_SECOND;
/** Three at the initiator, one at each hop. */
const LAYERS = 6;
/** A cell and its tag. */
const PACKET_SEALED_BYTES = CELL_BYTES + 16;
/** Relays find the phase of their slots from the first arrivals of a circuit, and move there once. */
const SETTLING_MS = 3000;
/** What links say for themselves: LOAD every half minute, three times over, and REKEY every four minutes. */
const LINK_PACKETS_PER_SECOND_MAX = 6;
/** The link of the last round's tunnel, kept for a minute: LOAD and keepalives. */
const LINK_PACKETS_MORE_MAX = 16;

/** What was seen and done in some time. */
interface Span {
  /** Packets in each full second. */
  readonly sent: readonly number[];
  readonly received: readonly number[];
  /** How often each primitive was called over so many bytes. */
  readonly work: ReadonlyMap<string, number>;
}

/** Notes every packet of one node, and what its provider does. */
class Observer {
  readonly sizes = new Set<number>();
  readonly #world: World;
  readonly #calls: string[];
  readonly #sent: number[] = [];
  readonly #received: number[] = [];

  constructor(world: World, { host }: SimOnion, calls: string[]) {
    this.#world = world;
    this.#calls = calls;
    world.tap(({ what, packet, atMs }: Sighting) => {
      const isOut = what === 'sent' && packet.from.ip === host.ip;
      const isIn = what === 'arrived' && packet.to.ip === host.ip;
      if (isOut) this.#sent.push(atMs);
      if (isIn) this.#received.push(atMs);
      if (isOut || isIn) this.sizes.add(packet.protocol === 'udp' ? packet.bytes.length : -1);
    });
  }

  async during(act: () => Promise<void>): Promise<Span> {
    for (const noted of [this.#sent, this.#received, this.#calls]) noted.splice(0);
    const fromMs = this.#world.nowMs();
    await act();
    const seconds = Math.floor((this.#world.nowMs() - fromMs) / 1000);
    const work = new Map<string, number>();
    for (const call of this.#calls) work.set(call, (work.get(call) ?? 0) + 1);
    return {
      sent: perSecond(this.#sent, fromMs, seconds),
      received: perSecond(this.#received, fromMs, seconds),
      work,
    };
  }
}

/** What happened at `fromMs` itself was before. */
function perSecond(timesMs: readonly number[], fromMs: number, seconds: number): number[] {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const ms of timesMs) {
    const second = Math.ceil((ms - fromMs) / 1000) - 1;
    if (second < seconds) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** One node with tunnels of its own, and three that never hear of a peer. */
class LonelyTunnels extends SimNetworkOfOnions {
  override sample(asker: SimOnion, count: number): Peer[] | undefined {
    return asker === this.nodes[0] ? super.sample(asker, count) : undefined;
  }
}

/** DATA in every slot, both ways. */
async function talk(world: World, caller: SimOnion, callee: SimOnion): Promise<void> {
  const there = caller.events('ready')[0]?.tunnel ?? 0;
  const back = callee.events('incoming')[0]?.tunnel ?? 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    caller.send(CLIENT, there, new Uint8Array(INNER_DATA_MAX));
    callee.send(CLIENT, back, new Uint8Array(INNER_DATA_MAX));
    await world.runFor(TIMING.tickMs);
  }
}

async function captured(world: World) {
  const { counting, calls } = countingProvider();
  const options = { roundSeconds: ROUND_SECONDS, tickMs: TIMING.tickMs, provider: counting };
  const [alice, bob] = new LonelyTunnels(world, 4, options).nodes;
  if (alice === undefined || bob === undefined) throw new RangeError('four nodes were made');
  const observer = new Observer(world, alice, calls);
  const isIn = (state: string) => (): boolean => alice.node.status.onion.states.current === state;
  await world.runFor(0);
  await world.until(isIn('building'));
  const building = await observer.during(() => world.until(isIn('built')));
  for (const node of [alice, bob]) node.connect(CLIENT);
  await world.runFor(SETTLING_MS);
  const idle = await observer.during(() => world.runFor(WINDOW_SECONDS * 1000));
  alice.build(CLIENT, bob);
  await world.until(() => bob.events('incoming').length > 0, TIMING.roundMs);
  await world.runFor(TIMING.switchOverlapMs + TIMING.drainLatestMs);
  const busy = await observer.during(() => talk(world, alice, bob));
  const heard = [alice, bob].map((node) => node.events('data').length);
  return { building, idle, busy, heard, sizes: observer.sizes };
}

describe('a node whose line is watched', () => {
  let seen: Awaited<ReturnType<typeof captured>>;

  beforeAll(() =>
    simulate({ seed: 1 }, async (world) => {
      seen = await captured(world);
    }),
  );

  it('carries data while it is', () => {
    for (const heard of seen.heard) expect(heard).toBeGreaterThan(0.99 * SLOTS);
  });

  it('sends and receives packets of one size, whatever is in them (attack 7)', () => {
    expect([...seen.sizes]).toEqual([DATAGRAM_BYTES]);
  });

  it.each(['building', 'idle', 'busy'] as const)(
    'has one packet per slot in each direction while %s (attack 7)',
    (when) => {
      const { sent, received } = seen[when];
      expect(sent.length).toBeGreaterThan(0);
      for (const packets of [...sent, ...received]) {
        expect(packets).toBeGreaterThanOrEqual(SLOTS_PER_SECOND);
        expect(packets).toBeLessThanOrEqual(SLOTS_PER_SECOND + LINK_PACKETS_PER_SECOND_MAX);
      }
    },
  );

  it('has as many of them idle as busy (attack 7)', () => {
    const { idle, busy } = seen;
    for (const direction of ['sent', 'received'] as const) {
      const more = Math.abs(sum(busy[direction]) - sum(idle[direction]));
      expect(more).toBeLessThanOrEqual(LINK_PACKETS_MORE_MAX);
    }
  });

  it('does the same work idle and busy, as the others on the path do (attack 33)', () => {
    const isPacket = (call: string): boolean => call.endsWith(` ${PACKET_SEALED_BYTES}`);
    const workOf = ({ work }: Span) => ({
      links: sum([...work].map(([call, times]) => (isPacket(call) ? times : 0))),
      cells: new Map([...work].filter(([call]) => !isPacket(call))),
    });
    const [idle, busy] = [workOf(seen.idle), workOf(seen.busy)];
    expect(busy.cells).toEqual(idle.cells);
    // Two calls per layer, two directions; LIONESS streams a whole body.
    expect(idle.cells.get(`stream ${BODY_BYTES}`)).toBe(2 * LAYERS * 2 * SLOTS);
    // Three links, two directions, and a packet is sealed and opened.
    const linksMore = Math.abs(busy.links - idle.links);
    expect(linksMore).toBeLessThanOrEqual(3 * 2 * 2 * LINK_PACKETS_MORE_MAX);
  });
});
