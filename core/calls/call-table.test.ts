import { describe, expect, it } from 'vitest';
import {
  CALL_TABLE,
  type CallEvent,
  CallPlace,
  type CallState,
  eventOf,
  isTalking,
  messageOf,
  STATE_TIMEOUT_MS,
} from './call-table.ts';
import { type ControlMessage, decodeControl, encodeControl } from './control.ts';
import type { EndReason } from './end.ts';

const STATES = Object.keys(CALL_TABLE) as CallState[];

/** Both ends, and what is under way between them: in order, as signalling.ts delivers. */
interface World {
  readonly caller: Side;
  readonly callee: Side;
}

interface Side {
  readonly state: CallState;
  /** Where it comes back to, and what happened before: all that a place remembers. */
  readonly history: readonly Fed[];
  readonly inbox: readonly ControlMessage[];
  readonly ended: EndReason | undefined;
}

type Fed = readonly [CallEvent, EndReason | undefined];

/** What anybody can do at any time. `timeout` may come at any moment: that is more than can happen. */
const OWN: readonly CallEvent[] = [
  'answer',
  'decline',
  'hang up',
  'hold',
  'resume',
  'refuse as unavailable',
  'refuse as busy',
  'give way',
  'proven',
  'fault',
  'lost',
  'silence',
  'heard',
  'timeout',
];
/** More than anybody says before he is acknowledged; the network does not keep more in these worlds. */
const INBOX_MAX = 3;

function sideOf(state: CallState): Side {
  return { state, history: [], inbox: [], ended: undefined };
}

/** The side after the event, and what it says. */
function fed(start: CallState, side: Side, event: CallEvent, told?: EndReason) {
  const place = new CallPlace(start);
  for (const [before, reason] of side.history) place.on(before, reason);
  const step = place.on(event, told);
  if (step === undefined) return undefined;
  if (step.end && side.ended) throw new Error(`ended twice: ${side.ended}, ${step.end.reason}`);
  // Only the last stay before `reconnecting` matters.
  const talk = isTalking(step.state);
  const history = talk ? pathTo(step.state) : [...side.history, [event, told] as const];
  return {
    side: { ...side, state: step.state, history, ended: side.ended ?? step.end?.reason },
    says: step.say && messageOf(step.say),
  };

  function pathTo(state: CallState): Fed[] {
    const found = TALK_PATHS[start === 'offered' ? 'caller' : 'callee'][state];
    if (found === undefined) throw new Error(`no path to ${state}`);
    return found.map((one) => [one, undefined]);
  }
}

/** A short way to each state of talking, from the side's first state. */
const TALK_PATHS: Record<'caller' | 'callee', Partial<Record<CallState, CallEvent[]>>> = {
  caller: talkPaths(['got answer']),
  callee: talkPaths(['proven', 'answer']),
};

function talkPaths(start: CallEvent[]): Partial<Record<CallState, CallEvent[]>> {
  return {
    active: start,
    holding: [...start, 'hold'],
    held: [...start, 'got hold'],
    'both holding': [...start, 'hold', 'got hold'],
  };
}

const START = { caller: 'offered', callee: 'proving' } as const;
type Name = keyof typeof START;
const NAMES: readonly Name[] = ['caller', 'callee'];

function other(name: Name): Name {
  return name === 'caller' ? 'callee' : 'caller';
}

function apply(world: World, name: Name, event: CallEvent, told?: EndReason): World | undefined {
  const result = fed(START[name], world[name], event, told);
  if (result === undefined) return undefined;
  const { side, says } = result;
  const peer = world[other(name)];
  const inbox = says ? [...peer.inbox, says] : peer.inbox;
  return { ...world, [name]: side, [other(name)]: { ...peer, inbox } };
}

/** The peer's next message arrives: something is heard, and then read. */
function deliver(world: World, name: Name): World | undefined {
  const [message, ...inbox] = world[name].inbox;
  if (message === undefined) return undefined;
  const taken: World = { ...world, [name]: { ...world[name], inbox } };
  const heard = apply(taken, name, 'heard') ?? taken;
  const event = eventOf(message);
  const told = 'reason' in message ? message.reason : undefined;
  return (event && apply(heard, name, event, told)) ?? heard;
}

function keyOf(world: World): string {
  return NAMES.map((name) => {
    const { state, history, inbox, ended } = world[name];
    const before = state === 'reconnecting' ? history.map(([event]) => event) : [];
    const says = inbox.map((message) => message.type + ('reason' in message ? message.reason : ''));
    return [state, ...before, '|', ...says, '|', ended].join();
  }).join(';');
}

/** Every world that any interleaving leads to. */
function explore(): Map<string, World> {
  const first: World = { caller: sideOf('offered'), callee: sideOf('proving') };
  const found = new Map([[keyOf(first), first]]);
  for (const world of found.values()) {
    for (const name of NAMES) {
      const next = [deliver(world, name), ...OWN.map((event) => apply(world, name, event))];
      for (const one of next) {
        if (one && isRoomy(one)) found.set(keyOf(one), found.get(keyOf(one)) ?? one);
      }
    }
  }
  return found;
}

function isRoomy({ caller, callee }: World): boolean {
  return Math.max(caller.inbox.length, callee.inbox.length) <= INBOX_MAX;
}

/** All that is under way arrives; nobody does anything more. */
function settled(start: World): World {
  let world = start;
  for (;;) {
    const next = deliver(world, 'caller') ?? deliver(world, 'callee');
    if (next === undefined) return world;
    world = next;
  }
}

/** What the one sees is what the other sees. */
const AGREED = new Set([
  'active active',
  'holding held',
  'held holding',
  'both holding both holding',
  'ringing incoming',
]);

describe('the table, with all interleavings of both ends (attack 27)', () => {
  const worlds = explore();

  it('is explored whole', () => {
    expect(worlds.size).toBeGreaterThan(1000);
    const seen = new Set(
      [...worlds.values()].flatMap(({ caller, callee }) => [caller.state, callee.state]),
    );
    expect([...seen].sort()).toEqual([...STATES].sort());
  });

  it('never ends a call twice, and always with a word when it ends', () => {
    for (const { caller, callee } of worlds.values()) {
      for (const { state, ended } of [caller, callee]) {
        expect(ended !== undefined).toBe(state === 'ending' || state === 'over');
      }
    }
  });

  it('agrees once everything has arrived, or a side is on its way out by its own clock', () => {
    for (const world of worlds.values()) {
      const { caller, callee } = settled(world);
      const both = `${caller.state} ${callee.state}`;
      if (AGREED.has(both)) continue;
      // Whoever is not in agreement waits for something that has a time limit; the other hears nothing, or the end.
      const waits = [caller, callee].map(
        ({ state }) => Number.isFinite(STATE_TIMEOUT_MS[state]) || state === 'over',
      );
      const isOneGone = [caller, callee].some(
        ({ state }) => state === 'over' || state === 'ending',
      );
      const isOneLost = [caller, callee].some(({ state }) => state === 'reconnecting');
      expect([both, isOneGone || isOneLost || waits.every(Boolean)]).toEqual([both, true]);
      // Who is told of the end does not talk on.
      expect(['ending active', 'active ending']).not.toContain(both);
    }
  });

  it('has a way to the end out of every world, by time alone', () => {
    for (const world of worlds.values()) {
      let end: World | undefined = settled(world);
      // Nobody is heard any more, and every clock runs out.
      for (let i = 0; i < 6; i++) {
        for (const name of NAMES) {
          end = apply(end, name, 'silence') ?? end;
          end =
            apply({ ...end, [other(name)]: { ...end[other(name)], inbox: [] } }, name, 'timeout') ??
            end;
        }
      }
      expect([end.caller.state, end.callee.state]).toEqual(['over', 'over']);
    }
  });
});

describe('the table', () => {
  it('says only what can be said, and read', () => {
    for (const rows of Object.values(CALL_TABLE)) {
      for (const { say } of Object.values(rows)) {
        if (say === undefined) continue;
        const message = messageOf(say);
        expect(decodeControl(encodeControl(message))).toEqual(message);
      }
    }
  });

  it('has a clock or an ear in every state but the last', () => {
    for (const state of STATES) {
      const { timeout, silence } = CALL_TABLE[state];
      const isTimed = timeout !== undefined && Number.isFinite(STATE_TIMEOUT_MS[state]);
      expect([state, isTimed || silence !== undefined]).toEqual([state, state !== 'over']);
    }
  });

  it('stays in `over`', () => {
    expect(CALL_TABLE.over).toEqual({});
  });
});
