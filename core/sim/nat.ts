// A network address translator in the words of RFC 4787: hosts inside share its public address, and are reached from
// outside only through mappings their own packets made. No hairpin: nobody inside reaches the public address. Hosts
// inside reach each other directly.
//
// Simplification: a packet from outside is judged when it leaves its sender, not when it reaches the translator.

import { type Address, formatAddress } from '../runtime/index.ts';
import type { Host } from './host.ts';
import type { Packet, Protocol } from './packet.ts';

export interface NatOptions {
  /** `symmetric`: another port for every remote address and port, which no third party can know. */
  readonly mapping?: 'endpoint-independent' | 'symmetric';
  /** Whose packets a mapping lets in: anybody's, or only of whom a packet was sent to. */
  readonly filtering?: 'endpoint-independent' | 'address-and-port-dependent';
  /** Of UDP, counted from the last packet outwards. */
  readonly timeoutMs?: number;
}

/** As short as some routers have it; RFC 4787 REQ-5 asks for two minutes. */
const UDP_TIMEOUT_MS = 30_000;
/** RFC 5382 REQ-5: no less than 2 hours and 4 minutes. */
const TCP_TIMEOUT_MS = 7_440_000;

const PORT_FIRST = 1024;
const PORT_LAST = 65_535;

export class Nat {
  readonly ip: string;
  readonly #options: Required<NatOptions>;
  readonly #inside = new Map<string, Host>();
  readonly #tables: Readonly<Record<Protocol, MappingTable>>;

  constructor(ip: string, options: NatOptions) {
    this.ip = ip;
    this.#options = {
      mapping: 'endpoint-independent',
      filtering: 'address-and-port-dependent',
      timeoutMs: UDP_TIMEOUT_MS,
      ...options,
    };
    this.#tables = {
      udp: new MappingTable(ip, this.#options.timeoutMs),
      tcp: new MappingTable(ip, TCP_TIMEOUT_MS),
    };
  }

  /** An address for the next host inside. */
  freeIp(): string {
    const number = this.#inside.size + 2;
    return `10.0.${number >> 8}.${number & 0xff}`;
  }

  join(host: Host): void {
    this.#inside.set(host.ip, host);
  }

  inside(ip: string): Host | undefined {
    return this.#inside.get(ip);
  }

  /** A packet as it goes on outside; undefined when all ports are taken. */
  outbound(packet: Packet, nowMs: number): Packet | undefined {
    const symmetric = this.#options.mapping === 'symmetric';
    const remote = formatAddress(packet.to);
    const inside = formatAddress(packet.from);
    const table = this.#tables[packet.protocol];
    const mapping = table.use(symmetric ? `${inside} ${remote}` : inside, packet.from, nowMs);
    if (mapping === undefined) return undefined;
    mapping.remotes.set(remote, nowMs + table.timeoutMs);
    return { ...packet, from: mapping.outside };
  }

  /** A packet as it goes on inside, and to whom; undefined when no mapping lets it in. */
  inbound(packet: Packet, nowMs: number): { host: Host; packet: Packet } | undefined {
    const mapping = this.#tables[packet.protocol].at(packet.to.port, nowMs);
    if (mapping === undefined) return undefined;
    if (this.#options.filtering === 'address-and-port-dependent') {
      const openUntilMs = mapping.remotes.get(formatAddress(packet.from)) ?? 0;
      if (openUntilMs <= nowMs) return undefined;
    }
    const host = this.#inside.get(mapping.inside.ip);
    return host && { host, packet: { ...packet, to: mapping.inside } };
  }
}

interface Mapping {
  readonly key: string;
  readonly inside: Address;
  readonly outside: Address;
  expiresMs: number;
  /** To whom packets went, and until when that counts. As many as the world has addresses; goes with the mapping. */
  readonly remotes: Map<string, number>;
}

class MappingTable {
  readonly timeoutMs: number;
  readonly #ip: string;
  readonly #byKey = new Map<string, Mapping>();
  /** At most one per port. */
  readonly #byPort = new Map<number, Mapping>();
  #nextPort = PORT_FIRST;

  constructor(ip: string, timeoutMs: number) {
    this.#ip = ip;
    this.timeoutMs = timeoutMs;
  }

  /** The mapping of that key, kept alive, or a new one. */
  use(key: string, inside: Address, nowMs: number): Mapping | undefined {
    const old = this.#byKey.get(key);
    const mapping = old && old.expiresMs > nowMs ? old : this.#make(key, inside, nowMs);
    if (mapping !== undefined) mapping.expiresMs = nowMs + this.timeoutMs;
    return mapping;
  }

  at(port: number, nowMs: number): Mapping | undefined {
    const mapping = this.#byPort.get(port);
    return mapping && mapping.expiresMs > nowMs ? mapping : undefined;
  }

  #make(key: string, inside: Address, nowMs: number): Mapping | undefined {
    for (let tries = PORT_FIRST; tries <= PORT_LAST; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === PORT_LAST ? PORT_FIRST : port + 1;
      if (this.at(port, nowMs) !== undefined) continue;
      this.#forget(this.#byPort.get(port));
      const outside = { ip: this.#ip, port };
      const mapping = { key, inside, outside, expiresMs: nowMs, remotes: new Map() };
      this.#byPort.set(port, mapping);
      this.#byKey.set(key, mapping);
      return mapping;
    }
    return undefined;
  }

  #forget(old: Mapping | undefined): void {
    if (old !== undefined && this.#byKey.get(old.key) === old) this.#byKey.delete(old.key);
  }
}
