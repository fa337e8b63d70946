// The registry of labels (protocol, Appendix C): every hash, MAC, signature and derived key says what it is for, so
// that nothing made for one purpose passes for another (protocol 2.1, rule 1). And the network's id, which keeps peers
// with other parameters from understanding each other.

import { utf8, Writer } from '../bytes/index.ts';
import { sha256 } from './hash.ts';

/**
 * In the order of Appendix C, and "link keys" after "link" (core/link/keys.ts), two more of the DHT after "dht-sig"
 * (core/dht), three more of calls after "call" (core/calls), the two of gossip (core/gossip/channel.ts and item.ts) those of core/rpc and core/rps at the end. A new purpose is
 * added here and there.
 */
export const PURPOSES = [
  'net',
  'mac1',
  'cookie',
  'link',
  'link keys',
  'hop',
  'hop keys',
  'hop fwd lioness',
  'hop bwd lioness',
  'resume',
  'create',
  'rdv',
  'desc',
  'desc-compact',
  'pow-id',
  'nse',
  'dht-sig',
  'dht-record',
  'dht-token',
  'presence',
  'presence-epoch',
  'presence-public',
  'pair',
  'card',
  'hint',
  'call',
  'call keys',
  'call-hostkey',
  'call-pow',
  'sas',
  'mbox',
  'mbox-token',
  'key-update',
  'gossip',
  'gossip-item',
  'rpc',
  'rps-push',
] as const;

export type Purpose = (typeof PURPOSES)[number];

export const NETWORK_ID_BYTES = 16;

/** The number of protocol 2.1's suite. Another set of primitives gets another number, and so another network. */
export const SUITE = 1;

export interface NetworkParameters {
  /** At most 255 bytes of UTF-8. */
  readonly name: string;
  readonly roundLengthS: number;
  readonly tickMs: number;
  readonly linkDatagramBytes: number;
}

/** "VPv1/", the purpose and 0x00: no label is the beginning of another, so fields can follow it directly. */
export function label(purpose: Purpose): Uint8Array {
  return utf8(`VPv1/${purpose}\0`);
}

/** The same without 0x00, for an HKDF info that is a label and nothing else (protocol 2.3's vector is made so). */
export function bareLabel(purpose: Purpose): Uint8Array {
  return utf8(`VPv1/${purpose}`);
}

/** What every signed or MACed string starts with (protocol 2.1, rule 1). */
export function signedPrefix(purpose: Purpose, networkId: Uint8Array): Uint8Array {
  const start = label(purpose);
  return new Writer(start.length + NETWORK_ID_BYTES).bytes(start).bytes(networkId).end();
}

/**
 * Protocol 2.1, end. The document leaves the fields' widths open; here: the label, the name after its length in one
 * byte, the round's length u32, the tick, the datagram's length and the suite u16 each.
 */
export function networkId(parameters: NetworkParameters): Uint8Array {
  const start = label('net');
  const name = utf8(parameters.name);
  const fields = new Writer(start.length + 1 + name.length + 4 + 2 + 2 + 2)
    .bytes(start)
    .u8(name.length)
    .bytes(name)
    .u32(parameters.roundLengthS)
    .u16(parameters.tickMs)
    .u16(parameters.linkDatagramBytes)
    .u16(SUITE)
    .end();
  return sha256(fields).slice(0, NETWORK_ID_BYTES);
}
