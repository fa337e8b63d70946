// What keeps hosts from hearing each other for a while: partitions, and blocks of one direction or protocol. A packet
// is judged when it leaves; what is under way when a barrier goes up still arrives.

import type { Host } from './host.ts';
import type { Protocol } from './packet.ts';

/** Undoes what it was the answer to: heals a partition, lifts a block. */
export type Undo = () => void;

/** Which packets a block stops: all that fit every field given. */
export interface Block {
  readonly from?: Host;
  readonly to?: Host;
  readonly protocol?: Protocol;
}

type Stops = (from: Host, to: Host, protocol: Protocol) => boolean;

export class Barriers {
  readonly #standing = new Set<Stops>();

  /** Groups that cannot reach each other. Who is in none of them reaches everybody. */
  partition(groups: readonly Iterable<Host>[]): Undo {
    const groupOf = new Map<Host, number>();
    for (const [group, members] of groups.entries()) {
      for (const member of members) groupOf.set(member, group);
    }
    return this.#raise((from, to) => {
      const [one, other] = [groupOf.get(from), groupOf.get(to)];
      return one !== undefined && other !== undefined && one !== other;
    });
  }

  block(block: Block): Undo {
    return this.#raise(
      (from, to, protocol) =>
        from === (block.from ?? from) &&
        to === (block.to ?? to) &&
        protocol === (block.protocol ?? protocol),
    );
  }

  stop(from: Host, to: Host, protocol: Protocol): boolean {
    for (const stops of this.#standing) {
      if (stops(from, to, protocol)) return true;
    }
    return false;
  }

  #raise(stops: Stops): Undo {
    this.#standing.add(stops);
    return () => void this.#standing.delete(stops);
  }
}
