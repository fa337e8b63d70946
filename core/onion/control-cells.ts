// CREATE, CREATED and DESTROY in cells (protocol 3.2, 3.3): cutting a payload into the cells of one circuit, and putting
// together what arrives. A message is held in part only as long as its circuit's handshake takes.
//
// CREATE fills 3 bodies and CREATED 4; what is left of the last is zero, as all padding inside encryption, and checked
// (protocol 2.1, rule 6). DESTROY is one body: the refusal below, and random bytes behind it.

import { concatBytes, Reader, Writer } from '../bytes/index.ts';
import {
  COMMAND,
  cellBody,
  cellCircuit,
  cellCommand,
  fragmentCount,
  fragmentIndex,
  writeCellHeader,
  writeFragment,
} from '../link/index.ts';
import type { Rng } from '../runtime/index.ts';
import { decoded } from './decoded.ts';
import { BODY_BYTES, CELL_BYTES } from './geometry.ts';
import { CREATE_BYTES, CREATED_BYTES } from './hop.ts';

const PAYLOAD_BYTES: ReadonlyMap<number, number> = new Map([
  [COMMAND.create, CREATE_BYTES],
  [COMMAND.created, CREATED_BYTES],
]);

/** Messages under way on one link; a circuit has one at a time. */
const OPEN_MAX = 64;
/** A message's cells come in successive slots; a retry is a whole new message. */
const MESSAGE_TIMEOUT_MS = 5000;

/** The cells of CREATE or CREATED. */
export function controlCells(
  circId: number,
  command: typeof COMMAND.create | typeof COMMAND.created,
  payload: Uint8Array,
): Uint8Array[] {
  const count = Math.ceil(payload.length / BODY_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const cell = new Uint8Array(CELL_BYTES);
    writeCellHeader(cell, circId, command);
    writeFragment(cell, index, count);
    cellBody(cell).set(payload.subarray(index * BODY_BYTES, (index + 1) * BODY_BYTES));
    return cell;
  });
}

/** DESTROY reasons (protocol 3.2). Towards an initiator only 1 to 3 are passed on. */
export const REASON = {
  normal: 0,
  resourceLimit: 1,
  proofRequired: 2,
  connectFailed: 3,
  protocol: 4,
} as const;

/** Why a circuit ends or is not made: the start of a DESTROY's body, and the whole of an EXTEND_FAIL. */
export interface Refusal {
  readonly reason: number;
  /** When a proof of work is wanted: how many bits, and over which seed. */
  readonly powBits: number;
  readonly powSeed: Uint8Array;
}

export const POW_SEED_BYTES = 16;
export const REFUSAL_BYTES = 2 + POW_SEED_BYTES;

export function refusal(reason: number): Refusal {
  return { reason, powBits: 0, powSeed: new Uint8Array(POW_SEED_BYTES) };
}

/** reason u8, proof of work bits u8, seed 16 */
export function encodeRefusal({ reason, powBits, powSeed }: Refusal): Uint8Array {
  return new Writer(REFUSAL_BYTES).u8(reason).u8(powBits).bytes(powSeed).end();
}

/** From the start of `bytes`. */
export function decodeRefusal(bytes: Uint8Array): Refusal {
  const reader = new Reader(bytes);
  return { reason: reader.u8(), powBits: reader.u8(), powSeed: reader.bytes(POW_SEED_BYTES) };
}

export function destroyCell(rng: Rng, circId: number, why: Refusal): Uint8Array {
  const cell = rng.fill(new Uint8Array(CELL_BYTES));
  writeCellHeader(cell, circId, COMMAND.destroy);
  cellBody(cell).set(encodeRefusal(why));
  return cell;
}

interface OpenMessage {
  readonly pieces: (Uint8Array | undefined)[];
  readonly untilMs: number;
}

/** Puts together the CREATEs or CREATEDs of one link. */
export class CellCollector {
  /** At most OPEN_MAX. */
  readonly #open = new Map<string, OpenMessage>();

  /**
   * The payload that a cell of CREATE or CREATED completes, unless its padding is wrong. The last copy of a piece
   * counts: a retry repeats them all.
   */
  collect(cell: Uint8Array, nowMs: number): Uint8Array | undefined {
    const command = cellCommand(cell);
    const payloadBytes = PAYLOAD_BYTES.get(command);
    if (payloadBytes === undefined) throw new RangeError(`command ${command} is not in pieces`);
    this.#forgetOld(nowMs);
    const name = `${command} ${cellCircuit(cell)}`;
    const message = this.#open.get(name) ?? this.#begin(name, fragmentCount(cell), nowMs);
    if (message === undefined) return undefined;
    message.pieces[fragmentIndex(cell)] = new Uint8Array(cellBody(cell));
    const pieces = message.pieces.filter((piece) => piece !== undefined);
    if (pieces.length < message.pieces.length) return undefined;
    this.#open.delete(name);
    return decoded(() => withoutPadding(concatBytes(...pieces), payloadBytes));
  }

  #begin(name: string, count: number, nowMs: number): OpenMessage | undefined {
    if (this.#open.size >= OPEN_MAX) return undefined;
    const pieces = Array.from<undefined>({ length: count });
    const begun = { pieces, untilMs: nowMs + MESSAGE_TIMEOUT_MS };
    this.#open.set(name, begun);
    return begun;
  }

  #forgetOld(nowMs: number): void {
    for (const [name, { untilMs }] of this.#open) if (nowMs > untilMs) this.#open.delete(name);
  }
}

function withoutPadding(bodies: Uint8Array, payloadBytes: number): Uint8Array {
  const reader = new Reader(bodies);
  const payload = reader.bytes(payloadBytes);
  reader.zeros(reader.remaining);
  return payload;
}
