// A node of the DHT as nodes tell each other of it (protocol 7, FIND_NODE), 50 bytes:
//
//   0   32   identity
//  32   16   ip, IPv4 as ::ffff:a.b.c.d
//  48    2   port, not 0
//
// Who really answers there is proven by the link. Whether the address may be used at all is looked at by dht.ts.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  IDENTITY_BYTES,
  type Identity,
  type IdentityKey,
  identityKey,
  toIdentity,
} from '../identity/index.ts';
import { type Address, IP_BYTES, ipFromBytes, ipToBytes } from '../runtime/index.ts';

/** K of protocol 7: in a bucket, and in an answer. */
export const K = 20;

export const CONTACT_BYTES = IDENTITY_BYTES + IP_BYTES + 2;

export interface Contact {
  readonly identity: Identity;
  /** The identity as a key of maps. */
  readonly key: IdentityKey;
  readonly address: Address;
  /** As it is told to others. */
  readonly encoded: Uint8Array;
}

export function toContact(identity: Identity, address: Address): Contact {
  const encoded = new Writer(CONTACT_BYTES)
    .bytes(identity)
    .bytes(ipToBytes(address.ip))
    .u16(address.port)
    .end();
  return { identity, key: identityKey(identity), address, encoded };
}

export function writeContacts(writer: Writer, contacts: readonly Contact[]): Writer {
  writer.u8(contacts.length);
  for (const { encoded } of contacts) writer.bytes(encoded);
  return writer;
}

/** Copies: contacts outlive the message. */
export function readContacts(reader: Reader): Contact[] {
  const count = reader.u8();
  if (count > K) throw new DecodeError('too many nodes');
  return Array.from({ length: count }, () => decodeContact(reader.bytes(CONTACT_BYTES)));
}

function decodeContact(encoded: Uint8Array): Contact {
  const reader = new Reader(encoded);
  const identity = toIdentity(reader.view(IDENTITY_BYTES));
  const ip = ipFromBytes(reader.view(IP_BYTES));
  const port = reader.u16();
  if (port === 0) throw new DecodeError('a node with port 0');
  return { identity, key: identityKey(identity), address: { ip, port }, encoded };
}
