// The node descriptor (protocol Appendix A, "CERT"): what a node says about itself, signed by its hostkey. At most
// 1251 bytes; n is the number of addresses, 0 to 4.
//
//   0          4   magic "VPND"
//   4          1   version 1
//   5          1   flags: 1 relay, 2 dht, 4 mailbox, 8 stream-only; the others are 0
//   6         20   serial, not_before, not_after (validity.ts)
//  26         32   link_dh, X25519
//  58         32   op_sign, Ed25519
//  90          1   n
//  91       20 n   addresses (node-address.ts)
//  91+20n      8   ports of dht, gossip, nse, onion; 0 where there is none
//  99+20n     10   proof of work: epoch u16, nonce
// 109+20n    550   SPKI DER of the hostkey
// 659+20n    512   RSA-PSS over "VPv1/desc" 0x00 network_id and everything before
//
// The proof of work is not checked here but by whoever takes the node for a candidate (identity-pow.ts).

import { concatBytes, DecodeError, equalBytes, Reader, utf8, Writer } from '../bytes/index.ts';
import {
  decodeRsaSpki,
  KEY_BYTES,
  POW_NONCE_BYTES,
  RSA_SIGNATURE_BYTES,
  RSA_SPKI_BYTES,
  type RsaPublicKey,
} from '../crypto/index.ts';
import { type Hostkey, verifySigned } from './hostkey.ts';
import { type Identity, identityOf } from './identity.ts';
import { powEpochAt } from './identity-pow.ts';
import {
  expectPublic,
  NODE_ADDRESS_BYTES,
  NODE_ADDRESSES_MAX,
  type NodeAddress,
  readNodeAddresses,
  writeNodeAddresses,
} from './node-address.ts';
import { expectValidAt, readValidity, type Validity, writeValidity } from './validity.ts';

const MAGIC = utf8('VPND');
const VERSION = 1;
/** All but addresses and signature. */
const FIXED_BYTES = 659;

export const DESCRIPTOR_BYTES_MAX =
  FIXED_BYTES + NODE_ADDRESSES_MAX * NODE_ADDRESS_BYTES + RSA_SIGNATURE_BYTES;

/** What the node offers to others; `streamOnly`: it takes no UDP. */
export interface NodeFlags {
  readonly relay: boolean;
  readonly dht: boolean;
  readonly mailbox: boolean;
  readonly streamOnly: boolean;
}

export interface Portmap {
  readonly dht: number;
  readonly gossip: number;
  readonly nse: number;
  readonly onion: number;
}

export interface DescriptorFields extends Validity {
  readonly flags: NodeFlags;
  readonly linkDh: Uint8Array;
  readonly opSign: Uint8Array;
  readonly addresses: readonly NodeAddress[];
  readonly ports: Portmap;
  /** Of the epoch that `notBeforeS` lies in. */
  readonly powNonce: Uint8Array;
}

export interface NodeDescriptor extends DescriptorFields {
  readonly publicKey: RsaPublicKey;
  readonly identity: Identity;
  readonly powEpoch: number;
  /** As it was signed, for passing on. */
  readonly encoded: Uint8Array;
}

/** The result has passed `decodeDescriptor`: what we would refuse, we do not issue. */
export function signDescriptor(
  hostkey: Hostkey,
  networkId: Uint8Array,
  fields: DescriptorFields,
): NodeDescriptor {
  const body = encodeBody(fields, hostkey.publicKey);
  const signature = hostkey.sign('desc', networkId, body);
  return decodeDescriptor(concatBytes(body, signature));
}

function encodeBody(fields: DescriptorFields, publicKey: RsaPublicKey): Uint8Array {
  const { addresses, ports } = fields;
  const body = new Writer(FIXED_BYTES + addresses.length * NODE_ADDRESS_BYTES);
  body.bytes(MAGIC).u8(VERSION).u8(flagBits(fields.flags));
  writeValidity(body, fields).bytes(fields.linkDh).bytes(fields.opSign);
  writeNodeAddresses(body, addresses);
  body.u16(ports.dht).u16(ports.gossip).u16(ports.nse).u16(ports.onion);
  body.u16(powEpochAt(fields.notBeforeS)).bytes(fields.powNonce);
  return body.bytes(publicKey).end();
}

/** For descriptors that were opened before, or are our own: nothing here looks at time, network or signature. */
export function decodeDescriptor(bytes: Uint8Array): NodeDescriptor {
  if (bytes.length > DESCRIPTOR_BYTES_MAX) throw new DecodeError('too long for a node descriptor');
  const encoded = new Uint8Array(bytes);
  const reader = new Reader(encoded);
  if (!equalBytes(reader.view(MAGIC.length), MAGIC)) throw new DecodeError('no node descriptor');
  const version = reader.u8();
  if (version !== VERSION) throw new DecodeError(`a node descriptor of version ${version}`);
  const flags = flagsOf(reader.u8());
  const validity = readValidity(reader);
  const linkDh = reader.view(KEY_BYTES);
  const opSign = reader.view(KEY_BYTES);
  const addresses = readNodeAddresses(reader);
  const ports = { dht: reader.u16(), gossip: reader.u16(), nse: reader.u16(), onion: reader.u16() };
  const powEpoch = reader.u16();
  const powNonce = reader.view(POW_NONCE_BYTES);
  const publicKey = decodeRsaSpki(reader.view(RSA_SPKI_BYTES));
  reader.view(RSA_SIGNATURE_BYTES);
  reader.expectEnd();
  if (powEpoch !== powEpochAt(validity.notBeforeS)) {
    throw new DecodeError('a node descriptor with the proof of work of another month');
  }
  const identity = identityOf(publicKey);
  return {
    ...validity,
    flags,
    linkDh,
    opSign,
    addresses,
    ports,
    powEpoch,
    powNonce,
    publicKey,
    identity,
    encoded,
  };
}

export interface DescriptorRules {
  readonly networkId: Uint8Array;
  readonly wallMs: number;
  /** Test networks: loopback and private addresses too. */
  readonly allowPrivate: boolean;
}

/** Decodes and verifies what a peer sent. The signature is last, because all else costs next to nothing. */
export function openDescriptor(
  bytes: Uint8Array,
  { networkId, wallMs, allowPrivate }: DescriptorRules,
): NodeDescriptor {
  const descriptor = decodeDescriptor(bytes);
  const { encoded, publicKey, addresses } = descriptor;
  expectValidAt(descriptor, wallMs);
  if (!allowPrivate) expectPublic(addresses);
  const body = encoded.subarray(0, -RSA_SIGNATURE_BYTES);
  const signature = encoded.subarray(-RSA_SIGNATURE_BYTES);
  if (!verifySigned(publicKey, { purpose: 'desc', networkId, body, signature })) {
    throw new DecodeError('the signature of a node descriptor is wrong');
  }
  return descriptor;
}

const RELAY = 1;
const DHT = 2;
const MAILBOX = 4;
const STREAM_ONLY = 8;

function flagBits({ relay, dht, mailbox, streamOnly }: NodeFlags): number {
  return (
    (relay ? RELAY : 0) | (dht ? DHT : 0) | (mailbox ? MAILBOX : 0) | (streamOnly ? STREAM_ONLY : 0)
  );
}

function flagsOf(bits: number): NodeFlags {
  const known = RELAY | DHT | MAILBOX | STREAM_ONLY;
  if ((bits & ~known) !== 0) throw new DecodeError('an unknown flag of a node');
  return {
    relay: (bits & RELAY) !== 0,
    dht: (bits & DHT) !== 0,
    mailbox: (bits & MAILBOX) !== 0,
    streamOnly: (bits & STREAM_ONLY) !== 0,
  };
}
