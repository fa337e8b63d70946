// What hostile relays do together (protocol 12, attacks 5 and 9): mark a tunnel for each other, or break all those that they
// do not hold at both ends. They are told which circuits belong to one tunnel, which is more than they can know.

import { chooseProvider, Lioness } from '../../crypto/index.ts';
import { INNER } from '../inner.ts';
import { HopLayer, InnerSeal } from '../layers.ts';
import type { CircuitId } from '../plane-port.ts';
import { chance, type MakeBehaviour, type PassingBody, type Self } from './hostile-plane.ts';
import { isBuilt, isCompromised } from './verdict.ts';
import type { Tunnel } from './witness.ts';

const provider = chooseProvider();

/** A mark is a pattern over windows of so many slots. */
export const MARK_SLOTS = 20;
/** Of the bodies in a window, so that the tunnel loses no more than it may (25 %) on average. */
const DROPPED_SHARE = 0.3;
const BURST_SLOTS = 5;

/** Whether this window is one of the tunnel's marked ones: half of them are, by chance, and every attacker knows which. */
export function isMarked({ owner, circuit }: Tunnel, window: number): boolean {
  let mixed = Math.imul(owner + 1, 0x9e37_79b1) ^ Math.imul(circuit, 0x85eb_ca6b) ^ window;
  for (const factor of [0xc2b2_ae35, 0x27d4_eb2f]) {
    mixed = Math.imul(mixed ^ (mixed >>> 15), factor);
  }
  return ((mixed >>> 16) & 1) === 1;
}

export function windowAt(atMs: number, tickMs: number): number {
  return Math.floor(atMs / (MARK_SLOTS * tickMs));
}

/** Whether this body is to be marked, for an accomplice who is at the tunnel's other end. */
function isMarkedNow({ network, number, tickMs }: Self, { circuit, direction, side }: PassingBody) {
  const found = network.witness.hopOf(number, circuit);
  if (found === undefined || direction === 'in') return false;
  const { tunnel, hop } = found;
  const isTowardsOther = side === (hop.position === 0 ? 'next' : 'prev');
  return isTowardsOther && isMarked(tunnel, windowAt(network.world.nowMs(), tickMs));
}

export const droppingInPattern: MakeBehaviour = (self) => ({
  onBody: (passing) =>
    isMarkedNow(self, passing) && chance(self.rng, DROPPED_SHARE) ? [] : undefined,
});

/** Holds bodies back until several leave at once. */
export const burstingInPattern: MakeBehaviour = (self) => ({
  onBody: (passing) => {
    if (!isMarkedNow(self, passing)) return undefined;
    const burstMs = BURST_SLOTS * self.tickMs;
    const delayMs = burstMs - (self.network.world.nowMs() % burstMs);
    return [{ body: passing.body.slice(), delayMs }];
  },
});

/** Selective denial of service: lets no tunnel stand that is not compromised. */
export const killing: MakeBehaviour = ({ network, number }) => ({
  onBody: ({ circuit }) => {
    const tunnel = network.witness.hopOf(number, circuit)?.tunnel;
    const isTheirs = tunnel === undefined || network.isHostile(tunnel.owner);
    if (isTheirs || !isBuilt(tunnel) || isCompromised(network, tunnel)) return undefined;
    return [];
  },
});

/** As endpoint it answers COVER with something else than what came. */
export const lying: MakeBehaviour = ({ rng }) => {
  const lioness = new Lioness(provider);
  const ends = new Map<CircuitId, { layer: HopLayer; opens: InnerSeal; seals: InnerSeal }>();
  return {
    onCommand: (command) => {
      if (command.type === 'connect next') ends.delete(command.circuit);
      if (command.type !== 'add relayed') return [command];
      const { circuit, secret } = command;
      ends.set(circuit, {
        layer: new HopLayer(lioness, secret),
        opens: new InnerSeal(provider, 'initiator', secret),
        seals: new InnerSeal(provider, 'hop', secret),
      });
      return [command];
    },
    onBody: ({ direction, side, circuit, body }) => {
      const end = ends.get(circuit);
      if (direction === 'in' || side === 'next' || end === undefined) return undefined;
      end.layer.takeOffBackward(body);
      const message = end.opens.open(body)?.slice();
      if (message === undefined) throw new Error('its own message');
      if (message[0] === INNER.coverEcho) rng.fill(message.subarray(32, 48));
      end.seals.seal(body, message);
      end.layer.putOnBackward(body);
      return undefined;
    },
  };
};
