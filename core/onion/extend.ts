// EXTEND, EXTENDED and EXTEND_FAIL (protocol 3.3): how the last hop of a circuit is asked for one more.
//
// EXTEND                                     a spec
//   0  1  mode, 0 = become a pure relay        0  1  type: 1 IPv4, 2 IPv6, 3 identity
//   1  1  number of specs, 1 … 4               1  1  length
//   2  …  specs                                2  …  1: ip 4, port 2 · 2: ip 16, port 2 · 3: identity 32
//   …     CREATE, 1240 bytes
//
// EXTENDED is the CREATED payload as it is; EXTEND_FAIL is the refusal of control-cells.ts, as in DESTROY.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { IDENTITY_BYTES, type Identity, toIdentity } from '../identity/index.ts';
import { type Address, IP_BYTES, ipFromBytes, ipToBytes } from '../runtime/index.ts';
import { CREATE_BYTES } from './hop.ts';

const MODE_RELAY = 0;
const SPEC = { ipv4: 1, ipv6: 2, identity: 3 } as const;
const SPECS_MAX = 4;
const IPV4_BYTES = 4;

export interface Extend {
  readonly address: Address;
  /** Mandatory: the hop that answers must prove to be this one. */
  readonly identity: Identity;
  readonly create: Uint8Array;
}

export function encodeExtend({ address, identity, create }: Extend): Uint8Array {
  const ip = ipToBytes(address.ip);
  const isIpv4 = !address.ip.includes(':');
  const ipSpec = isIpv4 ? ip.subarray(IP_BYTES - IPV4_BYTES) : ip;
  return new Writer(2 + 2 + ipSpec.length + 2 + 2 + IDENTITY_BYTES + create.length)
    .u8(MODE_RELAY)
    .u8(2)
    .u8(isIpv4 ? SPEC.ipv4 : SPEC.ipv6)
    .u8(ipSpec.length + 2)
    .bytes(ipSpec)
    .u16(address.port)
    .u8(SPEC.identity)
    .u8(IDENTITY_BYTES)
    .bytes(identity)
    .bytes(create)
    .end();
}

export function decodeExtend(bytes: Uint8Array): Extend {
  const reader = new Reader(bytes);
  if (reader.u8() !== MODE_RELAY) throw new DecodeError('an unknown mode of EXTEND');
  const count = reader.u8();
  if (count < 1 || count > SPECS_MAX) throw new DecodeError('a wrong number of specs');
  let address: Address | undefined;
  let identity: Identity | undefined;
  for (let i = 0; i < count; i++) {
    const type = reader.u8();
    const spec = new Reader(reader.view(reader.u8()));
    if (type === SPEC.identity) identity = toIdentity(spec.bytes(IDENTITY_BYTES));
    else address = readAddress(type, spec);
    spec.expectEnd();
  }
  const create = reader.bytes(CREATE_BYTES);
  reader.expectEnd();
  if (identity === undefined || address === undefined) throw new DecodeError('a spec is missing');
  return { address, identity, create };
}

function readAddress(type: number, spec: Reader): Address {
  if (type !== SPEC.ipv4 && type !== SPEC.ipv6) throw new DecodeError('an unknown spec');
  const ip =
    type === SPEC.ipv4 ? spec.view(IPV4_BYTES).join('.') : ipFromBytes(spec.view(IP_BYTES));
  return { ip, port: spec.u16() };
}
