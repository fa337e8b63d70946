// Who listens on which address and port of a host, by the rules of a Linux machine: `0.0.0.0` takes all of IPv4, `::`
// takes everything, and no two may overlap.

import { type Address, canonicalIp, NetworkError } from '../runtime/index.ts';

const ANY_V4 = '0.0.0.0';
const ANY_V6 = '::';
const LOOPBACK_V4 = '127.0.0.1';
const LOOPBACK_V6 = '::1';

/** The dynamic ports of RFC 6335. */
export const DYNAMIC_PORT_FIRST = 49_152;
export const DYNAMIC_PORT_COUNT = 16_384;

export function isLoopback(ip: string): boolean {
  return ip === LOOPBACK_V4 || ip === LOOPBACK_V6;
}

/** The address a packet to `to` carries as its sender when the socket is bound to `bound`; undefined for no way. */
export function sourceIp(bound: string, to: string, ips: readonly string[]): string | undefined {
  if (isV6(bound) !== isV6(to)) return undefined;
  if (bound !== ANY_V4 && bound !== ANY_V6) {
    return isLoopback(bound) && !isLoopback(to) ? undefined : bound;
  }
  return isLoopback(to) ? to : ips.find((ip) => isV6(ip) === isV6(to));
}

/** What to bind to for a connection to `ip`. */
export function anyLike(ip: string): string {
  return isV6(ip) ? ANY_V6 : ANY_V4;
}

const NOBODY: readonly never[] = [];

export class Ports<Entry extends { readonly local: Address }> {
  readonly #ips: readonly string[];
  readonly #entries = new Map<number, Entry[]>();
  #nextDynamic: number;

  /** `firstDynamic`: where the search for a free port begins, as a number below DYNAMIC_PORT_COUNT. */
  constructor(ips: readonly string[], firstDynamic: number) {
    this.#ips = ips;
    this.#nextDynamic = firstDynamic;
  }

  /** The address bound, with its port chosen if it was 0. Throws NetworkError. */
  claim(local: Address): Address {
    const ip = canonicalIp(local.ip);
    const known = ip === ANY_V4 || ip === ANY_V6 || isLoopback(ip) || this.#ips.includes(ip);
    if (!known) throw new NetworkError('address not available');
    const port = local.port === 0 ? this.#freePort(ip) : local.port;
    if (!this.#isFree(ip, port)) throw new NetworkError('address in use');
    return { ip, port };
  }

  add(entry: Entry): void {
    const { port } = entry.local;
    this.#entries.set(port, [...(this.#entries.get(port) ?? []), entry]);
  }

  remove(entry: Entry): void {
    const { port } = entry.local;
    const others = (this.#entries.get(port) ?? []).filter((other) => other !== entry);
    if (others.length > 0) this.#entries.set(port, others);
    else this.#entries.delete(port);
  }

  find({ ip, port }: Address): Entry | undefined {
    for (const entry of this.#entries.get(port) ?? NOBODY) {
      if (covers(entry.local.ip, ip)) return entry;
    }
    return undefined;
  }

  #isFree(ip: string, port: number): boolean {
    const there = this.#entries.get(port) ?? [];
    return !there.some(({ local }) => covers(local.ip, ip) || covers(ip, local.ip));
  }

  #freePort(ip: string): number {
    for (let tries = 0; tries < DYNAMIC_PORT_COUNT; tries++) {
      const port = DYNAMIC_PORT_FIRST + (this.#nextDynamic++ % DYNAMIC_PORT_COUNT);
      if (this.#isFree(ip, port)) return port;
    }
    throw new NetworkError('address in use');
  }
}

function covers(bound: string, ip: string): boolean {
  return bound === ip || bound === ANY_V6 || (bound === ANY_V4 && !isV6(ip));
}

function isV6(ip: string): boolean {
  return ip.includes(':');
}
