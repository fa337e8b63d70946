// Contacts for the tests of the parts: identities from a number, each in a netgroup of its own.

import { toIdentity } from '../../identity/index.ts';
import { type Contact, contactAt } from '../contact.ts';

export function contactOfNumber(number: number): Contact {
  const identity = new Uint8Array(32).fill(0x11);
  new DataView(identity.buffer).setUint32(0, number);
  return contactAt(toIdentity(identity), { ip: `20.${number & 0xff}.1.1`, port: 4000 });
}

export function contacts(first: number, count: number): Contact[] {
  return Array.from({ length: count }, (_, i) => contactOfNumber(first + i));
}
