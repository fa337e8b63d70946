// How somebody of whom only the hostkey is known proves that he has it (protocol 10.1b): a signature over the handshake's
// transcript, sent as PART messages under the keys the handshake gave. It names the role, the signer and the peer besides,
// so it proves nothing in another call, to somebody else, or the other way round.
//
//   0   512   RSA-PSS over "VPv1/call-hostkey" 0x00 network_id, role u8 (1 caller, 2 callee), signer 32, peer 32, transcript 32
//
// The key itself is not sent: the hint named it, and both have it.

import { Writer } from '../bytes/index.ts';
import { HASH_BYTES, RSA_SIGNATURE_BYTES, type RsaPublicKey } from '../crypto/index.ts';
import {
  type Hostkey,
  IDENTITY_BYTES,
  type Identity,
  identityOf,
  verifySigned,
} from '../identity/index.ts';
import type { CallRole } from './sealing.ts';

export const PROOF_BYTES = RSA_SIGNATURE_BYTES;

export interface ProofOver {
  readonly networkId: Uint8Array;
  readonly transcript: Uint8Array;
  /** The signer's. */
  readonly role: CallRole;
}

export function signProof(hostkey: Hostkey, peer: Identity, over: ProofOver): Uint8Array {
  return hostkey.sign('call-hostkey', over.networkId, bodyOf(hostkey.identity, peer, over));
}

export function verifyProof(
  signer: RsaPublicKey,
  peer: Identity,
  over: ProofOver,
  signature: Uint8Array,
): boolean {
  const { networkId } = over;
  const body = bodyOf(identityOf(signer), peer, over);
  return verifySigned(signer, { purpose: 'call-hostkey', networkId, body, signature });
}

function bodyOf(signer: Identity, peer: Identity, { role, transcript }: ProofOver): Uint8Array {
  return new Writer(1 + 2 * IDENTITY_BYTES + HASH_BYTES)
    .u8(role === 'caller' ? 1 : 2)
    .bytes(signer)
    .bytes(peer)
    .bytes(transcript)
    .end();
}
