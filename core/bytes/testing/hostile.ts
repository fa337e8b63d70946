// For the tests of every decoder: bytes as a stranger would send them, and the proof that a decoder answers them with a
// value or a DecodeError and nothing else (house style, "Wire"). `npm run fuzz` sets FUZZ_RUNS and FUZZ_SEED; it runs
// the tests with "hostile" in their name.

import fc from 'fast-check';
import { concatBytes, DecodeError } from '../index.ts';

/** Some thirty for each way of damaging a message; a fraction of a second per decoder. */
const RUNS_DEFAULT = 300;
const SEED_DEFAULT = 1;
/** Longer additions show nothing that these do not. */
const EXTRA_BYTES_MAX = 64;
const FLIPS_MAX = 8;
const FIELD_BYTES = [1, 2, 4, 8];
/** What stands around the bytes a decoder is given, and no decoder may see. */
const SURROUNDING = Uint8Array.of(0xa5, 0x5a, 0xa5);

export interface FuzzOptions {
  readonly runs?: number;
  readonly seed?: number;
}

/** Parameters for `fc.assert` in any property test: the defaults, or what `npm run fuzz` asks for. */
export function fuzz({ runs = RUNS_DEFAULT, seed = SEED_DEFAULT }: FuzzOptions = {}): {
  readonly numRuns: number;
  readonly seed: number;
} {
  return {
    numRuns: Number(process.env['FUZZ_RUNS'] ?? runs),
    seed: Number(process.env['FUZZ_SEED'] ?? seed),
  };
}

/**
 * Gives `decode` random, truncated, extended, bit-flipped, overwritten and spliced bytes, and throws when it throws
 * anything but a DecodeError. The samples must decode: otherwise the damaged ones would show nothing.
 */
export function survivesHostileBytes(
  decode: (bytes: Uint8Array) => unknown,
  validSamples: readonly Uint8Array[],
  options?: FuzzOptions,
): void {
  for (const sample of validSamples) decode(new Uint8Array(sample));
  const survives = fc.property(hostileBytes(validSamples), (bytes) => {
    try {
      decode(insideALargerBuffer(bytes));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  });
  fc.assert(survives, fuzz(options));
}

/** What a stranger might send instead of the samples; now and then one of them unharmed. */
export function hostileBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  if (samples.length === 0) throw new RangeError('no samples');
  const longest = Math.max(...samples.map(({ length }) => length));
  const sample = fc.constantFrom(...samples);
  return fc.oneof(
    fc.uint8Array({ maxLength: longest + EXTRA_BYTES_MAX }),
    sample.chain(({ length }) => fc.uint8Array({ minLength: length, maxLength: length })),
    sample.chain(truncated),
    sample.chain(extended),
    sample.chain(flipped),
    { weight: 3, arbitrary: sample.chain(overwritten) },
    fc.tuple(sample, sample).chain(([head, tail]) => spliced(head, tail)),
  );
}

function truncated(sample: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.nat(sample.length).map((length) => sample.slice(0, length));
}

function extended(sample: Uint8Array): fc.Arbitrary<Uint8Array> {
  const extra = fc.uint8Array({ minLength: 1, maxLength: EXTRA_BYTES_MAX });
  return extra.map((tail) => concatBytes(sample, tail));
}

function flipped(sample: Uint8Array): fc.Arbitrary<Uint8Array> {
  const bit = fc.nat(Math.max(0, 8 * sample.length - 1));
  return fc.array(bit, { minLength: 1, maxLength: FLIPS_MAX }).map((bits) => {
    const bytes = new Uint8Array(sample);
    for (const at of bits) bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (0x80 >> (at & 7));
    return bytes;
  });
}

/** Lengths, counts and times that lie, most of them by as much as they can. */
function overwritten(sample: Uint8Array): fc.Arbitrary<Uint8Array> {
  const field = fc
    .tuple(fc.constantFrom(0, 0xff, 0x7f, 0x80), fc.constantFrom(...FIELD_BYTES))
    .map(([byte, length]) => new Uint8Array(length).fill(byte));
  const other = fc.uint8Array({ minLength: 1, maxLength: Math.max(...FIELD_BYTES) });
  const value = fc.oneof({ weight: 3, arbitrary: field }, other);
  return fc.tuple(fc.nat(sample.length), value).map(([at, written]) => {
    const bytes = new Uint8Array(sample);
    bytes.set(written.subarray(0, bytes.length - at), at);
    return bytes;
  });
}

function spliced(head: Uint8Array, tail: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat(head.length), fc.nat(tail.length))
    .map(([end, start]) => concatBytes(head.subarray(0, end), tail.subarray(start)));
}

/** Packets are views of larger buffers; a decoder that forgets the offset reads what is none of its business. */
function insideALargerBuffer(bytes: Uint8Array): Uint8Array {
  const buffer = concatBytes(SURROUNDING, bytes, SURROUNDING);
  return buffer.subarray(SURROUNDING.length, SURROUNDING.length + bytes.length);
}
