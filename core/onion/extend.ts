// EXTEND, EXTENDED and EXTEND_FAIL (protocol 3.3): how the last hop of a circuit is asked for one more.
//
// EXTEND                                     a spec
//   0  1  mode, 0 = become a pure relay        0  1  type: 1 IPv4, 2 IPv6, 3 identity
//   1  1  number of specs, 2                   1  1  length
//   2  …  specs                                2  …  1: ip 4, port 2, transport 1
//   …     CREATE, 1240 bytes                         2: ip 16, port 2, transport 1
//                                                    3: identity 32
//
// One spec says where the next hop is and one who it must prove to be, in either order. The transport is 1, UDP as in a
// node descriptor: a link that gets no answer tries a stream at the same address by itself.
//
// EXTENDED is the CREATED payload as it is; EXTEND_FAIL is the refusal of control-cells.ts, as in DESTROY. Whether an
// address may be dialled is not decided here.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { IDENTITY_BYTES, type Identity, toIdentity } from '../identity/index.ts';
import { type Address, IP_BYTES, ipFromBytes, ipToBytes } from '../runtime/index.ts';
import { CREATE_BYTES } from './hop.ts';

const MODE_RELAY = 0;
const SPEC = { ipv4: 1, ipv6: 2, identity: 3 } as const;
const SPECS = 2;
const UDP = 1;
const IPV4_BYTES = 4;
/** Port and transport behind the ip. */
const ADDRESS_REST_BYTES = 3;

export interface Extend {
  readonly address: Address;
  /** The hop that answers must prove to be this one. */
  readonly identity: Identity;
  readonly create: Uint8Array;
}

export function encodeExtend({ address, identity, create }: Extend): Uint8Array {
  const isIpv4 = !address.ip.includes(':');
  const ip = ipToBytes(address.ip).subarray(isIpv4 ? IP_BYTES - IPV4_BYTES : 0);
  const specBytes = ip.length + ADDRESS_REST_BYTES;
  return new Writer(2 + (2 + specBytes) + (2 + IDENTITY_BYTES) + create.length)
    .u8(MODE_RELAY)
    .u8(SPECS)
    .u8(isIpv4 ? SPEC.ipv4 : SPEC.ipv6)
    .u8(specBytes)
    .bytes(ip)
    .u16(address.port)
    .u8(UDP)
    .u8(SPEC.identity)
    .u8(IDENTITY_BYTES)
    .bytes(identity)
    .bytes(create)
    .end();
}

export function decodeExtend(bytes: Uint8Array): Extend {
  const reader = new Reader(bytes);
  if (reader.u8() !== MODE_RELAY) throw new DecodeError('an unknown mode of EXTEND');
  if (reader.u8() !== SPECS) throw new DecodeError('a wrong number of specs');
  let address: Address | undefined;
  let identity: Identity | undefined;
  for (let i = 0; i < SPECS; i++) {
    const type = reader.u8();
    const spec = new Reader(reader.view(reader.u8()));
    if (type === SPEC.identity) identity = toIdentity(spec.bytes(IDENTITY_BYTES));
    else address = decodeAddress(type, spec);
    spec.expectEnd();
  }
  if (identity === undefined || address === undefined) throw new DecodeError('a spec is missing');
  const create = reader.bytes(CREATE_BYTES);
  reader.expectEnd();
  return { address, identity, create };
}

function decodeAddress(type: number, spec: Reader): Address {
  if (type !== SPEC.ipv4 && type !== SPEC.ipv6) throw new DecodeError('an unknown spec');
  const ip =
    type === SPEC.ipv4 ? spec.view(IPV4_BYTES).join('.') : ipFromBytes(spec.view(IP_BYTES));
  if (ip.includes(':') !== (type === SPEC.ipv6)) throw new DecodeError('an IPv4 address as IPv6');
  const port = spec.u16();
  if (port === 0) throw new DecodeError('port 0');
  if (spec.u8() !== UDP) throw new DecodeError('an unknown transport');
  return { ip, port };
}
