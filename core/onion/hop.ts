// The handshake with one hop, and the messages that carry it (protocol 3.3): Noise NX with an ML-KEM exchange inside
// (NXhfs). The hop proves with a certificate signed by its hostkey that the key it answers with is its own; ephemeral
// keys on both sides make what was recorded useless to whoever steals the hostkey later.
//
// CREATE, 1240 bytes in 3 cells:                      CREATED, 1796 bytes in 4 cells:
//    0     1  version 1                                  0    32  Y
//    1     1  budget, 1 … 12                            32  1104  ML-KEM ciphertext, sealed
//    2     1  handshake type, 1 = NX                  1136    48  the hop's X25519 key, sealed
//    3     1  proof of work, bits                     1184   612  its compact certificate, sealed
//    4     4  round
//    8     8  proof of work, nonce
//   16     8  proof of work, seed id
//   24    32  X
//   56  1184  ML-KEM public key

import { DecodeError, equalBytes, Reader, Writer } from '../bytes/index.ts';
import {
  bareLabel,
  type CryptoProvider,
  hkdf,
  KEY_BYTES,
  type KeyPair,
  label,
  NoiseHandshake,
  noiseOverheads,
  POW_NONCE_BYTES,
  type RsaPublicKey,
  sha256,
} from '../crypto/index.ts';
import {
  COMPACT_CERTIFICATE_BYTES,
  type Identity,
  openCompactCertificate,
} from '../identity/index.ts';
import type { Rng } from '../runtime/index.ts';

const VERSION = 1;
const HANDSHAKE_NX = 1;
const [FIRST_BYTES = 0, SECOND_BYTES = 0] = noiseOverheads('NXhfs');
/** The seed that a proof of work is over is named by its first bytes. */
export const SEED_ID_BYTES = 8;

export const CREATE_BYTES = 4 + 4 + POW_NONCE_BYTES + SEED_ID_BYTES + FIRST_BYTES;
export const CREATED_BYTES = SECOND_BYTES + COMPACT_CERTIFICATE_BYTES;

/** Protocol 3.3, "Length limit": how many more hops may follow, counted down by each. */
export const BUDGET_MAX = 12;

/** The proof of work a loaded hop asks for; all zero when it asks for none. */
export interface CreateProof {
  readonly bits: number;
  readonly nonce: Uint8Array;
  readonly seedId: Uint8Array;
}

export const NO_PROOF: CreateProof = {
  bits: 0,
  nonce: new Uint8Array(POW_NONCE_BYTES),
  seedId: new Uint8Array(SEED_ID_BYTES),
};

export interface Create {
  readonly budget: number;
  readonly round: number;
  readonly proof: CreateProof;
  /** X and the ML-KEM key: Noise's first message. */
  readonly noise: Uint8Array;
}

export function encodeCreate({ budget, round, proof, noise }: Create): Uint8Array {
  return new Writer(CREATE_BYTES)
    .u8(VERSION)
    .u8(budget)
    .u8(HANDSHAKE_NX)
    .u8(proof.bits)
    .u32(round)
    .bytes(proof.nonce)
    .bytes(proof.seedId)
    .bytes(noise)
    .end();
}

export function decodeCreate(bytes: Uint8Array): Create {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('a CREATE of another version');
  const budget = reader.u8();
  if (budget < 1 || budget > BUDGET_MAX) throw new DecodeError('a budget out of range');
  if (reader.u8() !== HANDSHAKE_NX) throw new DecodeError('an unknown hop handshake');
  const bits = reader.u8();
  const round = reader.u32();
  const proof = { bits, nonce: reader.bytes(POW_NONCE_BYTES), seedId: reader.bytes(SEED_ID_BYTES) };
  const noise = reader.bytes(FIRST_BYTES);
  reader.expectEnd();
  return { budget, round, proof, noise };
}

/** What the proof of work of a CREATE is over (protocol 3.3, "Admission"); the nonce is searched for. */
export function createChallenge(hop: Identity, seed: Uint8Array, noise: Uint8Array): Uint8Array {
  return sha256(label('create'), hop, seed, noise.subarray(0, KEY_BYTES));
}

export interface HopParameters {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
}

/** Binds both sides to the network, the round and the budget: altering one on the way breaks the handshake. */
function prologue(networkId: Uint8Array, { round, budget }: Pick<Create, 'round' | 'budget'>) {
  const start = label('hop');
  return new Writer(start.length + networkId.length + 5)
    .bytes(start)
    .bytes(networkId)
    .u32(round)
    .u8(budget)
    .end();
}

export interface HopAsked {
  readonly hop: RsaPublicKey;
  readonly round: number;
  readonly budget: number;
}

/** The initiator's side of the handshake with one hop. */
export class HopInitiator {
  readonly #noise: NoiseHandshake;
  readonly #networkId: Uint8Array;
  readonly #asked: HopAsked;
  readonly #first: Uint8Array;

  constructor({ provider, rng, networkId }: HopParameters, asked: HopAsked) {
    this.#noise = new NoiseHandshake({
      pattern: 'NXhfs',
      role: 'initiator',
      provider,
      rng,
      prologue: prologue(networkId, asked),
    });
    this.#networkId = networkId;
    this.#asked = asked;
    this.#first = this.#noise.writeMessage();
  }

  /** X and the ML-KEM key: what a proof of work is over. */
  get noise(): Uint8Array {
    return this.#first;
  }

  /** The same CREATE each time, but for the proof. */
  create(proof: CreateProof = NO_PROOF): Uint8Array {
    const { round, budget } = this.#asked;
    return encodeCreate({ budget, round, proof, noise: this.#first });
  }

  /**
   * The secret shared with the hop, from which layers.ts makes all keys. DecodeError: what came is no answer of this
   * hop; the handshake goes on waiting for the real one.
   */
  finish(created: Uint8Array, wallMs: number): Uint8Array {
    if (created.length !== CREATED_BYTES) throw new DecodeError('a CREATED of another size');
    this.#noise.readMessage(created, (certificate, hopKey) => {
      const rules = { publicKey: this.#asked.hop, networkId: this.#networkId, wallMs };
      const { linkDh } = openCompactCertificate(certificate, rules);
      if (hopKey === undefined || !equalBytes(linkDh, hopKey)) {
        throw new DecodeError('a certificate for another key');
      }
    });
    const secret = this.#noise.exportSecret('hop keys');
    this.#noise.wipe();
    return secret;
  }

  wipe(): void {
    this.#noise.wipe();
  }
}

export interface HopCredentials {
  readonly staticKey: KeyPair;
  readonly certificate: Uint8Array;
}

/** The hop's side: one CREATE in, one CREATED out. DecodeError when the initiator's keys are malformed. */
export function answerCreate(
  { provider, rng, networkId }: HopParameters,
  { staticKey, certificate }: HopCredentials,
  create: Create,
): { readonly created: Uint8Array; readonly secret: Uint8Array } {
  const noise = new NoiseHandshake({
    pattern: 'NXhfs',
    role: 'responder',
    provider,
    rng,
    prologue: prologue(networkId, create),
    staticKey,
  });
  try {
    noise.readMessage(create.noise);
    return { created: noise.writeMessage(certificate), secret: noise.exportSecret('hop keys') };
  } finally {
    noise.wipe();
  }
}

/** What names a tunnel when its next circuit comes: only its two ends can make it (protocol 3.7). */
export function resumeToken(endpointSecret: Uint8Array): Uint8Array {
  return hkdf(endpointSecret, new Uint8Array(), bareLabel('resume'), KEY_BYTES);
}
