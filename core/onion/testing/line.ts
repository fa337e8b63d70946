// What somebody sees who has the whole line of one node, for tests over the system's sockets: a tap in front of everybody
// whom the node knows. Of a node that nobody else knows these are all its packets: those of its own tunnels.

import type { IdentityKey } from '../../identity/index.ts';
import { type Address, formatAddress, realRuntime } from '../../runtime/index.ts';
import type { Peer } from '../peer.ts';
import { type OnionTiming, roundAt, roundStartMs } from '../timing.ts';
import { type Passing, UdpTap } from './udp-tap.ts';

export class Line {
  /** Of all datagrams that passed, also of others that the node's tunnels run over. */
  readonly sizes = new Set<number>();
  readonly #node: string;
  readonly #timing: OnionTiming;
  readonly #taps = new Map<IdentityKey, UdpTap>();
  /** The node's own packets, by round, while it has one circuit. */
  readonly #steady = { sent: new Map<number, number>(), received: new Map<number, number>() };

  constructor(node: Address, timing: OnionTiming) {
    this.#node = formatAddress(node);
    this.#timing = timing;
  }

  /** This peer as the node must know it. */
  async through(peer: Peer): Promise<Peer> {
    const tap = this.#taps.get(peer.key) ?? new UdpTap(peer.address, (one) => this.#note(one));
    this.#taps.set(peer.key, tap);
    return { ...peer, address: await tap.address() };
  }

  /** How many packets it sent or received in the steady part of each of these rounds. */
  packets(direction: Passing['direction'], rounds: readonly number[]): number[] {
    return rounds.map((round) => this.#steady[direction].get(round) ?? 0);
  }

  async close(): Promise<void> {
    for (const tap of this.#taps.values()) await tap.close();
  }

  #note({ caller, direction, bytes }: Passing): void {
    this.sizes.add(bytes);
    const wallMs = realRuntime.clock.wallMs();
    if (formatAddress(caller) !== this.#node || !this.#isSteady(wallMs)) return;
    const round = roundAt(this.#timing, wallMs);
    const counts = this.#steady[direction];
    counts.set(round, (counts.get(round) ?? 0) + 1);
  }

  /** The last round's tunnel is gone, and the next one's not begun. */
  #isSteady(wallMs: number): boolean {
    const { roundMs, drainLatestMs, buildEarliestMs } = this.#timing;
    const sinceMs = wallMs - roundStartMs(this.#timing, roundAt(this.#timing, wallMs));
    return sinceMs >= drainLatestMs && sinceMs < roundMs - buildEarliestMs;
  }
}
