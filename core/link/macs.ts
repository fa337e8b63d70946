// The two MACs of handshake packets (protocol 3.1; the idea is WireGuard's).
//
// mac1 proves that the sender knows whom it talks to: a scanner that does not know our identity gets no answer. In RESP
// the initiator's fresh key stands in for the identity. mac2 proves that the sender receives at the address it sends
// from; its key is the cookie that was sent there (cookies.ts). Neither authenticates anybody; Noise does.

import { equalSecrets, hmac, sha256, signedPrefix } from '../crypto/index.ts';
import { MAC_BYTES, MAC1_AT, MAC2_AT } from './wire.ts';

/** `name`: the responder's identity, or in RESP the initiator's ephemeral key. */
export function mac1Key(networkId: Uint8Array, name: Uint8Array): Uint8Array {
  return sha256(signedPrefix('mac1', networkId), name);
}

export function writeMac1(packet: Uint8Array, key: Uint8Array): void {
  packet.set(macBefore(packet, MAC1_AT, key), MAC1_AT);
}

export function hasMac1(packet: Uint8Array, key: Uint8Array): boolean {
  return equalSecrets(mac1Of(packet), macBefore(packet, MAC1_AT, key));
}

/** A view of the packet. */
export function mac1Of(packet: Uint8Array): Uint8Array {
  return packet.subarray(MAC1_AT, MAC2_AT);
}

/** After mac1, which it covers. */
export function writeMac2(packet: Uint8Array, cookie: Uint8Array): void {
  packet.set(macBefore(packet, MAC2_AT, cookie), MAC2_AT);
}

/** Whether there is a mac2 at all: without a cookie it is zero, and that is seen without a hash. */
export function claimsMac2(packet: Uint8Array): boolean {
  return packet.subarray(MAC2_AT).some((byte) => byte !== 0);
}

export function hasMac2(packet: Uint8Array, cookie: Uint8Array): boolean {
  return equalSecrets(packet.subarray(MAC2_AT), macBefore(packet, MAC2_AT, cookie));
}

function macBefore(packet: Uint8Array, end: number, key: Uint8Array): Uint8Array {
  return hmac(key, packet.subarray(0, end)).subarray(0, MAC_BYTES);
}
