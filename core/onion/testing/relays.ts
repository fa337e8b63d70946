// Relays for tests: bob, whom alice's circuits go through, and carol, whom they go on to.

import { expect } from 'vitest';
import { SeededRng } from '../../runtime/index.ts';
import { Admission } from '../admission.ts';
import { encodeRefusal, REASON, type Refusal, refusal } from '../control-cells.ts';
import { encodeExtend } from '../extend.ts';
import { HopInitiator } from '../hop.ts';
import { encodeInner, INNER } from '../inner.ts';
import type { RelayLink } from '../next-hop.ts';
import type { CircuitId } from '../plane-port.ts';
import { Relay, type RelayOutput } from '../relay.ts';
import { onionTiming } from '../timing.ts';
import { answered, parametersOf, ROUND, testHop, WALL_MS } from './hops.ts';
import { padded } from './read.ts';

export const bob = testHop('bob');
export const carol = testHop('carol');
export const dave = testHop('dave');
export const timing = onionTiming(300);
export const BUDGET = 5;
/** Of a link bob has begun: the others' circuit numbers have a top bit of 0. */
export const FROM: RelayLink = {
  link: 5,
  address: { ip: '30.1.0.1', port: 4000 },
  isInitiator: true,
};
export const CIRC_ID = 0x1234;
export const TO: RelayLink = { link: 6, address: carol.peer.address, isInitiator: false };

export function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

export function relayOf({ circuitsMax = 32, allowPrivate = false } = {}) {
  const parameters = parametersOf(1);
  const { identity } = bob.peer;
  const limits = { rng: new SeededRng(2), identity, timing, circuitsMax, allowPrivate };
  const admission = new Admission(limits, 0);
  let circuits = 0;
  const relay = new Relay({
    parameters,
    timing,
    identity,
    ownIps: ['20.98.0.1'],
    admission,
    allowPrivate,
    credentials: () => bob.credentials,
    newCircuit: () => ++circuits,
  });
  return { relay, admission };
}

export function initiator(seed: number, { round = ROUND, budget = BUDGET } = {}): HopInitiator {
  return new HopInitiator(parametersOf(100 + seed), { hop: bob.peer.publicKey, round, budget });
}

/** One circuit, the first. */
export function withCircuit(options: { budget?: number; circuitsMax?: number } = {}) {
  const { relay, admission } = relayOf(options);
  const handshake = initiator(1, options);
  const outputs = relay.onCreate(FROM, CIRC_ID, handshake.create(), at(0));
  return { relay, admission, handshake, outputs, circuit: 1 };
}

/** The CREATE for the next hop. */
export function createFor(seed: number, budget: number = BUDGET - 1): Uint8Array {
  const asked = { hop: carol.peer.publicKey, round: ROUND, budget };
  return new HopInitiator(parametersOf(200 + seed), asked).create();
}

export function extendOf(create: Uint8Array, { identity, address } = carol.peer): Uint8Array {
  return encodeExtend({ identity, address, create });
}

/** What a message in pieces leads to. */
export function says(
  relay: Relay,
  circuit: CircuitId,
  type: number,
  data: Uint8Array,
  nowMs: number,
): RelayOutput[] {
  return encodeInner(type, data, nowMs % 2 ** 16).flatMap((piece) =>
    relay.onInner(circuit, padded(piece), at(nowMs)),
  );
}

export function failedBecause(why: Refusal | number, circuit: CircuitId = 1): object {
  const data = encodeRefusal(typeof why === 'number' ? refusal(why) : why);
  const messages = [{ what: 'extendFail', data }];
  return { plane: { type: 'send inner', circuit, queue: 'control', messages } };
}

export function opened({ identity, address } = carol.peer): object {
  return { type: 'open link', identity, address };
}

/** With a next hop that has been asked and not answered. */
export function withNext() {
  const start = withCircuit();
  const { relay, circuit } = start;
  const create = createFor(1);
  expect(says(relay, circuit, INNER.extend, extendOf(create), 1000)).toEqual([opened()]);
  const outputs = relay.onLinkUp(carol.peer.identity, TO);
  const [output] = outputs;
  const command = output?.type === 'plane' ? output.command : undefined;
  if (command?.type !== 'connect next') throw new Error('not connected');
  const { circId } = command;
  return { ...start, create, outputs, circId };
}

/** With a next hop that has answered. */
export function withTwoHops() {
  const start = withNext();
  const { created } = answered(carol, start.create);
  return { ...start, created, outputs: start.relay.onCreated(start.circuit, created) };
}

export function destroyedNext(circId: number): object {
  const cells = [{ circId, destroy: refusal(REASON.normal) }];
  return { plane: { type: 'send cells', circuit: 1, side: 'next', cells } };
}

export const DISCONNECTED = { plane: { type: 'disconnect next', circuit: 1 } };
export const ENDED = [{ type: 'ended', circuit: 1 }, { plane: { type: 'remove', circuit: 1 } }];
