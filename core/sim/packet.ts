// What travels in a simulated world. Sizes on the wire count the headers a real packet would have (IPv4 20 or IPv6
// 40, UDP 8, TCP 20 bytes), because line rates and observers do.

import type { Address } from '../runtime/index.ts';

export type Packet = Datagram | TcpPacket;

/** Whoever keeps a packet copies its bytes: they are overwritten once delivered. */
export interface Datagram {
  readonly protocol: 'udp';
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Uint8Array;
}

export interface TcpPacket {
  readonly protocol: 'tcp';
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Uint8Array;
  readonly segment: Segment;
}

/**
 * A TCP segment as far as the simulation goes: segments are numbered, not bytes, and each direction begins with a
 * `syn` and ends with a `fin`.
 */
export interface Segment {
  readonly kind: 'syn' | 'data' | 'fin' | 'ack' | 'probe' | 'reset';
  /** Of the segment itself (syn, data, fin), or of the one this answers (ack). */
  readonly number: number;
  /** The first number not yet received in order; 0 before anything was received. */
  readonly next: number;
  /** How many bytes the sender of this has room for. */
  readonly windowBytes: number;
}

/** Written over bytes whose handler has returned: those of `UdpHandlers` and `StreamHandlers` hold no longer. */
export const STALE = 0xdb;

export type Protocol = Packet['protocol'];

export function wireBytes({ protocol, to, bytes }: Packet): number {
  return bytes.length + (to.ip.includes(':') ? 40 : 20) + (protocol === 'udp' ? 8 : 20);
}
