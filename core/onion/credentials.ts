// What a node shows of itself (protocol Appendix A): its X25519 key and the certificates for it, signed by the hostkey.
// Made anew every day; each is good for three, so that two renewals may fail before anybody refuses us.

import type { CryptoProvider, KeyPair } from '../crypto/index.ts';
import {
  type Hostkey,
  type NodeAddress,
  signCompactCertificate,
  signDescriptor,
  VALIDITY_MAX_S,
} from '../identity/index.ts';
import type { LinkSelf } from '../link/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { HopCredentials } from './hop.ts';

/** Appendix A. */
export const RENEW_MS = 24 * 3600 * 1000;
/** Ours begin a little in the past, for clocks that are behind. */
const BACKDATED_S = 600;

export interface CredentialsOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  readonly hostkey: Hostkey;
  readonly addresses: readonly NodeAddress[];
  readonly onionPort: number;
  /** Of the month in which certificates made now begin: `certificateStartS`. */
  readonly powNonce: Uint8Array;
}

export interface Credentials {
  readonly link: LinkSelf;
  readonly hop: HopCredentials;
}

/** When certificates made at `wallMs` begin to hold. */
export function certificateStartS(wallMs: number): number {
  return Math.floor(wallMs / 1000) - BACKDATED_S;
}

export function makeCredentials(options: CredentialsOptions, wallMs: number): Credentials {
  const { provider, rng, networkId, hostkey, addresses, onionPort } = options;
  const staticKey: KeyPair = provider.x25519KeyPair(rng);
  const notBeforeS = certificateStartS(wallMs);
  const common = {
    serial: Math.floor(wallMs / 1000) % 2 ** 32,
    notBeforeS,
    notAfterS: notBeforeS + VALIDITY_MAX_S,
    linkDh: staticKey.publicKey,
  };
  const descriptor = signDescriptor(hostkey, networkId, {
    ...common,
    flags: { relay: true, dht: false, mailbox: false, streamOnly: false },
    opSign: provider.ed25519Public(randomBytes(rng, 32)),
    addresses,
    ports: { dht: 0, gossip: 0, nse: 0, onion: onionPort },
    powNonce: options.powNonce,
  });
  return {
    link: { identity: hostkey.identity, staticKey, certificate: descriptor.encoded },
    hop: { staticKey, certificate: signCompactCertificate(hostkey, networkId, common) },
  };
}
