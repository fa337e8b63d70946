// Network addresses: parsing what people write, the 16-byte form of the wire, and the two questions every defence
// asks of an address: is it public, and which netgroup is it in.

import { isIPv4, isIPv6 } from 'node:net';
import { Reader, Writer } from '../bytes/index.ts';

export interface Address {
  /** IPv4 or IPv6 in canonical text, never a name. */
  readonly ip: string;
  readonly port: number;
}

export const IP_BYTES = 16;
const IPV4_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** A name or address with a port, as people write it in configuration. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type ParsedHostPort = { readonly ok: HostPort } | { readonly error: string };

/** `host:port`, `1.2.3.4:port` or `[v6]:port`. The error says what is wrong, without repeating the input. */
export function parseHostPort(text: string): ParsedHostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  if (match === null) {
    return isIPv6(text.replace(/:\d+$/, '')) || isIPv6(text)
      ? { error: 'an IPv6 address stands in brackets before its port: [2001:db8::1]:6001' }
      : { error: 'wanted HOST:PORT, 192.0.2.1:6001 or [2001:db8::1]:6001' };
  }
  const [, bracketed, plain = '', digits = ''] = match;
  const port = Number(digits);
  if (port > 65_535) return { error: 'a port is between 0 and 65535' };
  if (bracketed !== undefined) {
    return isIPv6(bracketed) && !bracketed.includes('%')
      ? { ok: { host: canonicalIp(bracketed), port } }
      : { error: 'what stands in brackets is no IPv6 address' };
  }
  if (isIPv4(plain)) return { ok: { host: plain, port } };
  if (!isHostname(plain))
    return { error: 'the part before the port is neither a name nor an address' };
  return { ok: { host: plain.toLowerCase(), port } };
}

function isHostname(text: string): boolean {
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split('.').every((label) => /^[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?$/i.test(label));
}

export function formatAddress({ ip, port }: Address): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** One spelling per address: lower case, zeros compressed, IPv4 inside IPv6 as plain IPv4. */
export function canonicalIp(ip: string): string {
  if (isIPv4(ip)) return ip;
  if (!isIPv6(ip) || ip.includes('%')) throw new RangeError('not an IP address');
  return ipFromBytes(ipToBytes(ip));
}

/** The 16 bytes of an address; IPv4 as ::ffff:a.b.c.d. */
export function ipToBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return Uint8Array.of(...IPV4_PREFIX, ...ip.split('.').map(Number));
  const [, groups = ''] = /^http:\/\/\[(.*)\]\/$/.exec(new URL(`http://[${ip}]/`).href) ?? [];
  const [head = '', tail] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const writer = new Writer(IP_BYTES);
  for (const group of before) writer.u16(Number.parseInt(group, 16));
  writer.zeros(IP_BYTES - 2 * (before.length + after.length));
  for (const group of after) writer.u16(Number.parseInt(group, 16));
  return writer.end();
}

export function ipFromBytes(bytes: Uint8Array): string {
  if (IPV4_PREFIX.every((byte, i) => bytes[i] === byte)) return bytes.subarray(12, 16).join('.');
  const reader = new Reader(bytes);
  const groups: string[] = [];
  while (reader.remaining > 0) groups.push(reader.u16().toString(16));
  const [, compressed = ''] =
    /^http:\/\/\[(.*)\]\/$/.exec(new URL(`http://[${groups.join(':')}]/`).href) ?? [];
  return compressed;
}

/**
 * The group of addresses that one party can be expected to hold together: a /16 of IPv4, a /32 of IPv6
 * (protocol 3.3, PATH_RULES; Bitcoin's netgroups).
 */
export function netgroup(ip: string): string {
  if (isIPv4(ip)) return ip.split('.').slice(0, 2).join('.');
  return [...ipToBytes(ip).subarray(0, 4)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** The finer group that quotas count by: a /24 of IPv4, a /48 of IPv6 (protocol 3.1, cookies). */
export function subnet(ip: string): string {
  if (isIPv4(ip)) return ip.split('.').slice(0, 3).join('.');
  return [...ipToBytes(ip).subarray(0, 6)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** [first bytes, how many bits of them count]: everything a peer may not make us send to. */
const NOT_PUBLIC_V4: readonly (readonly [readonly number[], number])[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 88, 99], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[224], 3],
];

/** Of IPv6 only global unicast, 2000::/3, less documentation, 6to4, Teredo and other tunnels. */
const NOT_PUBLIC_V6: readonly (readonly [readonly number[], number])[] = [
  [[0x20, 0x01, 0x00, 0x00], 23],
  [[0x20, 0x01, 0x0d, 0xb8], 32],
  [[0x20, 0x02], 16],
  [[0x3f, 0xff, 0x00], 20],
];

/** Whether this is a public unicast address (IANA special-purpose registries, RFC 6890). */
export function isPublic(ip: string): boolean {
  const bytes = ipToBytes(ip);
  if (isIPv4(ip))
    return !NOT_PUBLIC_V4.some(([prefix, bits]) => hasPrefix(bytes.subarray(12), prefix, bits));
  return (
    hasPrefix(bytes, [0x20], 3) &&
    !NOT_PUBLIC_V6.some(([prefix, bits]) => hasPrefix(bytes, prefix, bits))
  );
}

function hasPrefix(bytes: Uint8Array, prefix: readonly number[], bits: number): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit % 8);
    const at = bit >> 3;
    if (((bytes[at] ?? 0) & mask) !== ((prefix[at] ?? 0) & mask)) return false;
  }
  return true;
}
