// The addresses in a node descriptor (protocol Appendix A): a count u8, at most 4, then 20 bytes for each:
//
//   0   1   transport   1 udp, 2 tcp, 3 tls
//   1   1   family      4 or 6
//   2   2   port        not 0
//   4  16   ip          IPv4 as ::ffff:a.b.c.d
//
// One address has one encoding. Whether an address may be used at all depends on the network: `expectPublic`.

import { DecodeError, type Reader, type Writer } from '../bytes/index.ts';
import { type Address, IP_BYTES, ipFromBytes, ipToBytes, isPublic } from '../runtime/index.ts';

/** In the order of their numbers on the wire, from 1. */
const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

export type Transport = (typeof TRANSPORTS)[number];

export interface NodeAddress extends Address {
  readonly transport: Transport;
}

export const NODE_ADDRESSES_MAX = 4;
export const NODE_ADDRESS_BYTES = 1 + 1 + 2 + IP_BYTES;

export function writeNodeAddresses(writer: Writer, addresses: readonly NodeAddress[]): Writer {
  writer.u8(addresses.length);
  for (const { transport, ip, port } of addresses) {
    writer.u8(1 + TRANSPORTS.indexOf(transport)).u8(familyOf(ip));
    writer.u16(port).bytes(ipToBytes(ip));
  }
  return writer;
}

export function readNodeAddresses(reader: Reader): NodeAddress[] {
  const count = reader.u8();
  if (count > NODE_ADDRESSES_MAX) throw new DecodeError(`${count} addresses of one node`);
  const addresses = Array.from({ length: count }, () => readNodeAddress(reader));
  const distinct = new Set(
    addresses.map(({ transport, ip, port }) => `${transport} ${ip} ${port}`),
  );
  if (distinct.size < count) throw new DecodeError('an address of a node twice');
  return addresses;
}

function readNodeAddress(reader: Reader): NodeAddress {
  const transport = TRANSPORTS[reader.u8() - 1];
  const family = reader.u8();
  const port = reader.u16();
  const ip = ipFromBytes(reader.view(IP_BYTES));
  if (transport === undefined) throw new DecodeError('an address with an unknown transport');
  if (family !== familyOf(ip)) throw new DecodeError('an address of another family than it says');
  if (port === 0) throw new DecodeError('an address with port 0');
  if (!isUnicast(ip)) throw new DecodeError('an address that is no one host');
  return { transport, ip, port };
}

function familyOf(ip: string): 4 | 6 {
  return ip.includes(':') ? 6 : 4;
}

/** Neither unspecified nor multicast, broadcast or reserved: refused in test networks too. */
function isUnicast(ip: string): boolean {
  if (familyOf(ip) === 6) return ip !== '::' && !ip.startsWith('ff');
  const first = Number.parseInt(ip, 10);
  return first > 0 && first < 224;
}

/** Outside test networks nobody may make us send to private addresses (protocol 3.3, limits of EXTEND). */
export function expectPublic(addresses: readonly NodeAddress[]): void {
  if (!addresses.every(({ ip }) => isPublic(ip)))
    throw new DecodeError('a node address not public');
}
