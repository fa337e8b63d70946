// The network between simulated hosts: takes a packet from a host's socket over its access line, its translator, past
// the observers and interferers on the wire, the barriers and the path, to the host it is for. What a host does with
// a packet is life.ts.

import { Barriers } from './barriers.ts';
import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import { Nat } from './nat.ts';
import { type Packet, STALE, wireBytes } from './packet.ts';
import { type Path, Paths, type ProfileChoice } from './path.ts';
import type { Pipe } from './pipe.ts';
import { copyOf } from './slab.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Loss = 'queue full' | 'no route' | 'barrier' | 'too large' | 'lost' | 'host down';

/**
 * Something seen on the wire, outside of translators. `host down` arrived too, but nobody was there. The other losses
 * are what no real observer can see.
 */
export interface Sighting {
  readonly atMs: number;
  readonly what: 'sent' | 'arrived' | Loss;
  readonly packet: Packet;
  readonly wireBytes: number;
}

export type Tap = (sighting: Sighting) => void;

/** Nothing lets the packet pass. A list goes on in its place: empty to drop it, changed, or several. */
export type Interference = (packet: Packet) => readonly Packet[] | undefined;

/** Where a packet goes, and as what it gets there: a translator changes its address. */
interface Delivery {
  readonly host: Host;
  readonly packet: Packet;
}

export class SimNetwork {
  readonly barriers = new Barriers();
  readonly paths: Paths;
  readonly taps = new Set<Tap>();
  readonly interferences = new Set<Interference>();
  readonly #time: VirtualTime;
  /** By public address. */
  readonly #sites = new Map<string, Host | Nat>();

  constructor(time: VirtualTime, dice: Dice, profile: ProfileChoice) {
    this.#time = time;
    this.paths = new Paths(dice, profile);
  }

  attach(ip: string, site: Host | Nat): void {
    if (this.#sites.has(ip)) throw new Error(`two hosts of a world have the address ${ip}`);
    this.#sites.set(ip, site);
  }

  /** Takes over `packet`, its bytes included. */
  send(from: Host, packet: Packet): void {
    if (from.owns(packet.to.ip)) {
      this.#time.after(0, () => receive({ host: from, packet }));
    } else {
      this.#pass(from.uplink, packet, () => this.#leave(from, packet));
    }
  }

  /** Puts a packet of anybody's making before the host it is addressed to. */
  inject(packet: Packet): void {
    const copy = { ...packet, bytes: copyOf(packet.bytes) };
    const delivery = this.#locate(copy);
    if (delivery === undefined) this.#see('no route', copy);
    else this.#arrive(delivery, copy);
  }

  #leave(from: Host, packet: Packet): void {
    const neighbour = from.nat?.inside(packet.to.ip);
    if (neighbour !== undefined) this.#travel(from, packet, { host: neighbour, packet });
    else this.#goOutside(from, packet);
  }

  #goOutside(from: Host, packet: Packet): void {
    const outside = from.nat ? from.nat.outbound(packet, this.#time.nowMs()) : packet;
    this.#see(outside ? 'sent' : 'no route', outside ?? packet);
    for (const wire of outside ? this.#interfered(outside) : []) {
      const delivery = this.#locate(wire, from);
      if (delivery === undefined) this.#see('no route', wire);
      else this.#travel(from, wire, delivery);
    }
  }

  #interfered(packet: Packet): readonly Packet[] {
    let packets: readonly Packet[] = [packet];
    for (const interfere of this.interferences) {
      packets = packets.flatMap((one) => interfere(one) ?? [one]);
    }
    if (this.interferences.size === 0) return packets;
    return packets.map((one) => ({ ...one, bytes: copyOf(one.bytes) }));
  }

  #locate(packet: Packet, from?: Host): Delivery | undefined {
    const site = this.#sites.get(packet.to.ip);
    if (site === undefined) return undefined;
    if (!(site instanceof Nat)) return { host: site, packet };
    return site === from?.nat ? undefined : site.inbound(packet, this.#time.nowMs());
  }

  #travel(from: Host, wire: Packet, delivery: Delivery): void {
    const { host } = delivery;
    const path = this.paths.between(from, host);
    const loss = this.barriers.stop(from, host, wire.protocol) ? 'barrier' : fate(wire, path);
    if (loss !== undefined) {
      this.#see(loss, wire);
      return;
    }
    if (path.duplicates()) {
      const bytes = copyOf(wire.bytes);
      const twin = { host, packet: { ...delivery.packet, bytes } };
      this.#later(path.delayMs(this.#time.nowMs()), twin, { ...wire, bytes });
    }
    this.#later(path.delayMs(this.#time.nowMs()), delivery, wire);
  }

  #later(delayMs: number, delivery: Delivery, wire: Packet): void {
    this.#time.after(delayMs, () => this.#arrive(delivery, wire));
  }

  #arrive(delivery: Delivery, wire: Packet): void {
    this.#pass(delivery.host.downlink, wire, () => {
      this.#see(delivery.host.up ? 'arrived' : 'host down', wire);
      receive(delivery);
    });
  }

  #pass(line: Pipe | undefined, packet: Packet, then: () => void): void {
    if (line === undefined) {
      then();
      return;
    }
    const throughMs = line.admit(wireBytes(packet), this.#time.nowMs());
    if (throughMs === undefined) this.#see('queue full', packet);
    else this.#time.after(throughMs, then);
  }

  #see(what: Sighting['what'], packet: Packet): void {
    if (this.taps.size === 0) return;
    const sighting = { atMs: this.#time.nowMs(), what, packet, wireBytes: wireBytes(packet) };
    for (const tap of this.taps) tap(sighting);
  }
}

/** What the path itself does away with. */
function fate(packet: Packet, path: Path): Loss | undefined {
  const { mtuBytes = Number.POSITIVE_INFINITY } = path.profile;
  if (packet.protocol === 'udp' && wireBytes(packet) > mtuBytes) return 'too large';
  return path.loses() ? 'lost' : undefined;
}

function receive({ host, packet }: Delivery): void {
  host.receive(packet);
  // TCP keeps its bytes until they are acknowledged.
  if (packet.protocol === 'udp') packet.bytes.fill(STALE);
}
