// What nodes say to each other (protocol 5), as requests of service 1 of core/rpc. The first byte is the kind:
//
//   1 PUSH       round u32 | nonce 8             the sender is to be known; answered with nothing
//   2 PULL                                       answered with at most 100 contacts (contact.ts), our view
//   3 PROBE                                      answered with nothing
//   4 ASK        port u16 | nonce 16             "have somebody call me there"; answered with our ip 16 as it sees us,
//                                                or with nothing: not now
//   5 CALL       contact 50 | nonce 16           "call this node, and say that": answered with nothing
//   6 CALLED     nonce 16                        the call; answered with nothing
//
// Who says it is proven by the link. The proof of work of a PUSH: push-stamp.ts. ASK to CALLED: reachability.ts.

import { concatBytes, DecodeError, Reader, Writer } from '../bytes/index.ts';
import { POW_NONCE_BYTES } from '../crypto/index.ts';
import { IP_BYTES, ipFromBytes, ipToBytes } from '../runtime/index.ts';
import { CONTACT_BYTES, type Contact, readContact } from './contact.ts';

export const CALL_NONCE_BYTES = 16;
/** l1 is at most 100 (protocol 5). */
export const CONTACTS_MAX = 100;

export type RpsMessage =
  | { readonly type: 'push'; readonly round: number; readonly nonce: Uint8Array }
  | { readonly type: 'pull' }
  | { readonly type: 'probe' }
  | { readonly type: 'ask'; readonly port: number; readonly nonce: Uint8Array }
  | { readonly type: 'call'; readonly contact: Contact; readonly nonce: Uint8Array }
  | { readonly type: 'called'; readonly nonce: Uint8Array };

export const NOTHING = new Uint8Array();

export function encodeMessage(message: RpsMessage): Uint8Array {
  switch (message.type) {
    case 'push':
      return new Writer(5 + POW_NONCE_BYTES).u8(1).u32(message.round).bytes(message.nonce).end();
    case 'pull':
      return Uint8Array.of(2);
    case 'probe':
      return Uint8Array.of(3);
    case 'ask':
      return new Writer(3 + CALL_NONCE_BYTES).u8(4).u16(message.port).bytes(message.nonce).end();
    case 'call': {
      const writer = new Writer(1 + CONTACT_BYTES + CALL_NONCE_BYTES).u8(5);
      return writer.bytes(message.contact.encoded).bytes(message.nonce).end();
    }
    case 'called':
      return new Writer(1 + CALL_NONCE_BYTES).u8(6).bytes(message.nonce).end();
  }
}

export function decodeMessage(bytes: Uint8Array): RpsMessage {
  const reader = new Reader(bytes);
  const message = readMessage(reader);
  reader.expectEnd();
  return message;
}

function readMessage(reader: Reader): RpsMessage {
  switch (reader.u8()) {
    case 1:
      return { type: 'push', round: reader.u32(), nonce: reader.bytes(POW_NONCE_BYTES) };
    case 2:
      return { type: 'pull' };
    case 3:
      return { type: 'probe' };
    case 4:
      return { type: 'ask', port: reader.u16(), nonce: reader.bytes(CALL_NONCE_BYTES) };
    case 5:
      return {
        type: 'call',
        contact: readContact(reader),
        nonce: reader.bytes(CALL_NONCE_BYTES),
      };
    case 6:
      return { type: 'called', nonce: reader.bytes(CALL_NONCE_BYTES) };
    default:
      throw new DecodeError('an unknown request of peer sampling');
  }
}

export function encodeContacts(contacts: readonly Contact[]): Uint8Array {
  return concatBytes(...contacts.map(({ encoded }) => encoded));
}

export function decodeContacts(bytes: Uint8Array): Contact[] {
  const count = bytes.length / CONTACT_BYTES;
  if (!Number.isInteger(count) || count > CONTACTS_MAX) {
    throw new DecodeError(`${bytes.length} bytes of contacts`);
  }
  const reader = new Reader(bytes);
  return Array.from({ length: count }, () => readContact(reader));
}

export function encodeSeen(ip: string): Uint8Array {
  return ipToBytes(ip);
}

/** Undefined: not now. */
export function decodeSeen(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length !== IP_BYTES) throw new DecodeError('no address');
  return ipFromBytes(bytes);
}
