// A node as others speak of it: who it is, and where its Rpc address is. Nothing here is proven; a probe proves it.
//
//    0  32   identity
//   32  16   ip, IPv4 as ::ffff:a.b.c.d
//   48   2   port, not 0

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  IDENTITY_BYTES,
  type Identity,
  type IdentityKey,
  identityKey,
  type NodeDescriptor,
  toIdentity,
} from '../identity/index.ts';
import { type Address, IP_BYTES, ipFromBytes, ipToBytes, isPublic } from '../runtime/index.ts';

export const CONTACT_BYTES = IDENTITY_BYTES + IP_BYTES + 2;

export interface Contact {
  readonly identity: Identity;
  readonly key: IdentityKey;
  readonly address: Address;
  /** As above: contacts are passed on often, and made once. */
  readonly encoded: Uint8Array;
}

export function contactAt(identity: Identity, address: Address): Contact {
  const { ip, port } = address;
  const writer = new Writer(CONTACT_BYTES).bytes(identity).bytes(ipToBytes(ip)).u16(port);
  return { identity, key: identityKey(identity), address, encoded: writer.end() };
}

export function readContact(reader: Reader): Contact {
  const encoded = reader.bytes(CONTACT_BYTES);
  const fields = new Reader(encoded);
  const identity = toIdentity(fields.view(IDENTITY_BYTES));
  const ip = ipFromBytes(fields.view(IP_BYTES));
  const port = fields.u16();
  if (port === 0) throw new DecodeError('a contact with port 0');
  return { identity, key: identityKey(identity), address: { ip, port }, encoded };
}

export function decodeContact(bytes: Uint8Array): Contact {
  const reader = new Reader(bytes);
  const contact = readContact(reader);
  reader.expectEnd();
  return contact;
}

/** Whether we may call there: strangers name these addresses. */
export function isCallable({ ip }: Address, allowPrivate: boolean): boolean {
  return allowPrivate || isPublic(ip);
}

export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.ip === b.ip;
}

/**
 * Where a node that calls us from `ip` says that it is; undefined if it is not known to be reachable, or only names
 * places where it is not: nobody can make us call somebody else.
 */
export function contactOf(descriptor: NodeDescriptor, ip: string): Contact | undefined {
  const { flags, addresses, identity } = descriptor;
  const here = addresses.find((one) => one.ip === ip && one.transport !== 'tls');
  if (!flags.relay || here === undefined) return undefined;
  return contactAt(identity, { ip, port: here.port });
}
