// The two fields with which RPS and Onion name a peer: its IP address, 4 or 16 bytes as a V bit elsewhere in the message
// says, and its hostkey as DER, always last. Which hostkeys are acceptable is core/identity's business, not ours.

import { DecodeError, type Reader, type Writer } from '../bytes/index.ts';
import { IP_BYTES, ipFromBytes, ipToBytes } from '../runtime/index.ts';

const IPV4_BYTES = 4;

/** A guess: the 550 bytes of an RSA-4096 key, and room for whatever other modules may use. */
export const HOSTKEY_BYTES_MAX = 4096;

/** The lowest bit of its byte: 1 for IPv6. */
export const V = 1;

export function isV6(ip: string): boolean {
  return ip.includes(':');
}

export function ipBytes(ip: string): number {
  return isV6(ip) ? IP_BYTES : IPV4_BYTES;
}

export function writeIp(writer: Writer, ip: string): void {
  writer.bytes(ipToBytes(ip).subarray(-ipBytes(ip)));
}

export function readIp(reader: Reader, v6: boolean): string {
  return v6 ? ipFromBytes(reader.view(IP_BYTES)) : reader.view(IPV4_BYTES).join('.');
}

export function writeHostkey(writer: Writer, hostkey: Uint8Array): void {
  if (!hasHostkeyLength(hostkey)) throw new RangeError(`a hostkey of ${hostkey.length} bytes`);
  writer.bytes(hostkey);
}

/** All that is left. */
export function readHostkey(reader: Reader): Uint8Array {
  const hostkey = reader.rest();
  if (!hasHostkeyLength(hostkey)) throw new DecodeError(`a hostkey of ${hostkey.length} bytes`);
  return new Uint8Array(hostkey);
}

function hasHostkeyLength({ length }: Uint8Array): boolean {
  return length > 0 && length <= HOSTKEY_BYTES_MAX;
}
