// What hostile relays do (protocol 12, attacks 3, 4, 5, 9, 10, 31, and breaking every rule of a handshake). Each is a
// production node with one vice; for those who act together see accomplices.ts.

import { chooseProvider } from '../../crypto/index.ts';
import { COMMAND, cellBody, DATAGRAM_BYTES } from '../../link/index.ts';
import { type Rng, randomBelow, randomBetween } from '../../runtime/index.ts';
import { newCircId } from '../circ-id.ts';
import { controlCells, destroyCell, REASON, refusal } from '../control-cells.ts';
import { makeCredentials } from '../credentials.ts';
import { decodeExtend, type Extend, encodeExtend } from '../extend.ts';
import { BODY_BYTES, INNER_PLAIN_BYTES } from '../geometry.ts';
import { answerCreate, decodeCreate, HopInitiator } from '../hop.ts';
import { encodeInner, INNER, InnerReceiver } from '../inner.ts';
import type { CircuitId, PlaneEvent } from '../plane-port.ts';
import { roundAt } from '../timing.ts';
import {
  type Behaviour,
  chance,
  type MakeBehaviour,
  type PassingBody,
  type Self,
} from './hostile-plane.ts';
import type { NodeNumber } from './witness.ts';

const provider = chooseProvider();
/** Of the bodies it passes on: enough to show, too little to be noticed as loss (protocol 3.8: 25 %). */
const SHARE = 0.2;
/** Of the bodies: a relay takes only a burst more than there are slots. */
const BESIDE_SHARE = 0.05;
const HELD_SLOTS_MAX = 6;
const WRONG_SIZE_SHARE = 0.005;
/** Bodies kept to be said again. */
const KEPT = 32;
/** As many as there are slots for, and more than a neighbour may have at once. */
const FLOOD_TICKS = 10;
const FLOODED_LINKS = 2;

/** Of what leaves. */
function outgoing(act: (passing: PassingBody) => ReturnType<NonNullable<Behaviour['onBody']>>) {
  return (passing: PassingBody) => (passing.direction === 'out' ? act(passing) : undefined);
}

export const dropping: MakeBehaviour = ({ rng }) => ({
  onBody: outgoing(() => (chance(rng, SHARE) ? [] : undefined)),
});

export const delaying: MakeBehaviour = ({ rng, tickMs }) => ({
  onBody: outgoing(({ body }) => [
    { body: body.slice(), delayMs: randomBetween(rng, 0, HELD_SLOTS_MAX * tickMs) },
  ]),
});

/** Says bodies again: beside the new one, or in its place. */
export const replaying: MakeBehaviour = ({ rng }) => {
  const kept = new Map<string, Uint8Array[]>();
  return {
    onBody: outgoing(({ circuit, side, body }) => {
      const name = `${circuit} ${side}`;
      const bodies = kept.get(name) ?? [];
      kept.set(name, [...bodies, body.slice()].slice(-KEPT));
      const old = bodies[randomBelow(rng, KEPT)];
      if (old === undefined || !chance(rng, 2 * SHARE)) return undefined;
      return chance(rng, 0.5) ? [{ body: old }] : [{ body: body.slice() }, { body: old }];
    }),
  };
};

/** Marks bodies in every way that leaves them 512 bytes long; of some it sends the marked one beside the other. */
export const tagging: MakeBehaviour = ({ rng }) => ({
  onBody: outgoing(({ body }) => {
    const original = body.slice();
    const isBeside = chance(rng, BESIDE_SHARE);
    if (isBeside || chance(rng, SHARE)) tag(body, rng);
    return isBeside ? [{ body: original }, { body: body.slice() }] : undefined;
  }),
});

function tag(body: Uint8Array, rng: Rng): void {
  const at = randomBelow(rng, BODY_BYTES);
  switch (randomBelow(rng, 4)) {
    case 0:
      body[at] = (body[at] ?? 0) ^ (1 << randomBelow(rng, 8));
      break;
    case 1:
      body.set([...body.subarray(at), ...body.subarray(0, at)]);
      break;
    case 2:
      body.fill(0, at);
      break;
    default:
      body.copyWithin(0, at);
  }
}

/** In authentic datagrams: its neighbours cut it off (attack 6), so it does not last. */
export const missizing: MakeBehaviour = ({ rng }) => ({
  onBody: outgoing(({ body }) => {
    const bytes = DATAGRAM_BYTES + (chance(rng, 0.5) ? 1 : -1);
    return chance(rng, WRONG_SIZE_SHARE) ? [{ body: body.slice(), bytes }] : undefined;
  }),
});

/** Takes CREATEs and never answers. */
export const mute: MakeBehaviour = () => ({
  onCommand: (command) => (command.type === 'add relayed' ? [] : [command]),
});

/** Answers CREATEs with noise. */
export const garbling: MakeBehaviour = ({ rng }) => ({
  onCommand: (command) => {
    if (command.type === 'add relayed') for (const cell of command.cells) rng.fill(cellBody(cell));
    return [command];
  },
});

/** For every reason in turn, also when it asks for work that then counts for nothing. */
export const refusing: MakeBehaviour = ({ rng }) => ({
  onCommand: (command) => {
    if (command.type !== 'add relayed') return [command];
    const { link, circId } = command;
    const reason = randomBelow(rng, 5);
    const powBits = reason === REASON.proofRequired ? 10 : 0;
    const why = { ...refusal(reason), powBits };
    return [{ type: 'send control cell', link, cell: destroyCell(rng, circId, why) }];
  },
});

/** `onExtend`: what it was asked for, and what its control plane is to hear instead. */
function interceptExtends(
  onExtend: (circuit: CircuitId, extend: Extend) => readonly PlaneEvent[],
): Behaviour {
  const receivers = new Map<CircuitId, InnerReceiver>();
  return {
    onEvent: (event) => {
      // Longer than a cell, so always in pieces; nobody sends a node EXTENDs over its own tunnels.
      const isPiece = event.type === 'inner' && event.message[0] === INNER.frag;
      if (!isPiece || event.message[1] !== INNER.extend) return [event];
      const receiver = receivers.get(event.circuit) ?? new InnerReceiver();
      receivers.set(event.circuit, receiver);
      const whole = receiver.receive(event.message, 0);
      return whole === undefined ? [] : onExtend(event.circuit, decodeExtend(whole.data));
    },
  };
}

function innerEvents(circuit: CircuitId, type: number, data: Uint8Array): PlaneEvent[] {
  return encodeInner(type, data, 1).map((piece) => {
    const message = new Uint8Array(INNER_PLAIN_BYTES);
    message.set(piece);
    return { type: 'inner', circuit, message };
  });
}

/** Extends to another node than it was asked for, to an accomplice if there is one. */
export const misleading: MakeBehaviour = ({ network, number }) =>
  interceptExtends((circuit, { create }) => {
    const others = network.nodes.filter((one) => one.number !== number);
    const other = (others.find((one) => network.isHostile(one.number)) ?? others[0])?.peer;
    return other === undefined
      ? []
      : innerEvents(circuit, INNER.extend, encodeExtend({ ...other, create }));
  });

/** Answers an EXTEND itself, as if it were the next hop. */
export const impersonating: MakeBehaviour = ({ network, number, rng, runtime, post }) =>
  interceptExtends((circuit, { create }) => {
    const { networkId } = network;
    const { hostkey } = network.node(number);
    const common = { provider, rng, networkId, hostkey, addresses: [], onionPort: 1 };
    const powNonce = new Uint8Array(8);
    const { hop } = makeCredentials({ ...common, powNonce }, runtime.clock.wallMs());
    const { created } = answerCreate({ provider, rng, networkId }, hop, decodeCreate(create));
    const messages = encodeInner(INNER.extended, created, 1);
    post({ type: 'send inner', circuit, queue: 'control', messages });
    return [];
  });

/** Begins one circuit after the other with a few of its neighbours, and does nothing with them. */
export const flooding: MakeBehaviour = (self) => {
  const { runtime, rng, network, tickMs } = self;
  const flood = (): void => {
    for (const [link, peer] of [...self.links].slice(0, FLOODED_LINKS)) {
      const circId = newCircId(rng, chance(rng, 0.5));
      const cells = controlCells(circId, COMMAND.create, someCreate(self, peer));
      for (const cell of cells) self.post({ type: 'send control cell', link, cell });
    }
    runtime.timers.after(FLOOD_TICKS * tickMs, flood);
  };
  runtime.timers.after(randomBetween(rng, 0, network.options.roundSeconds * 1000), flood);
  return {};
};

function someCreate({ network, rng, runtime }: Self, peer: NodeNumber): Uint8Array {
  const { networkId } = network;
  const hop = network.node(peer).peer.publicKey;
  const round = roundAt(network.timing, runtime.clock.wallMs());
  return new HopInitiator({ provider, rng, networkId }, { hop, round, budget: 12 }).create();
}

/** As endpoint it sends nothing back; as relay it does its work. */
export const silent: MakeBehaviour = () => {
  const passing = new Set<CircuitId>();
  return {
    onCommand: (command) => {
      if (command.type === 'connect next') passing.add(command.circuit);
      return [command];
    },
    onBody: outgoing(({ circuit, side }) =>
      side === 'prev' && !passing.has(circuit) ? [] : undefined,
    ),
  };
};

export const VICES: Readonly<Record<string, MakeBehaviour>> = {
  dropping,
  delaying,
  replaying,
  tagging,
  missizing,
  mute,
  garbling,
  refusing,
  misleading,
  impersonating,
  flooding,
  silent,
};

/** One node with several vices: each circuit meets one of them. */
export function mixed(makes: readonly MakeBehaviour[]): MakeBehaviour {
  return (self) => {
    const behaviours = makes.map((make) => make(self));
    const of = (circuit: CircuitId | undefined): Behaviour =>
      behaviours[(circuit ?? -1) % behaviours.length] ?? {};
    return {
      onCommand: (command) =>
        of('circuit' in command ? command.circuit : undefined).onCommand?.(command) ?? [command],
      onEvent: (event) =>
        of('circuit' in event ? event.circuit : undefined).onEvent?.(event) ?? [event],
      onBody: (passing) => of(passing.circuit).onBody?.(passing),
    };
  };
}
