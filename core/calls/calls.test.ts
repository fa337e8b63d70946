import { describe, expect, it } from 'vitest';
import type { TestHostkeyName } from '../identity/testing/keys.ts';
import { randomBelow, SeededRng } from '../runtime/index.ts';
import { CONFIRM_MS } from './call.ts';
import { WAITING_MAX } from './calls.ts';
import type { CallEnd } from './end.ts';
import { AWFUL, type Kind, peerOf, person } from './testing/ends.ts';
import { type Person, World } from './testing/world.ts';

/** In the order of their identities, so that everybody knows whose offer stays in a glare. */
const [SMALL, LARGE] = (['alice', 'bob'] as const).toSorted((a, b) =>
  Buffer.compare(person(a).hostkey.identity, person(b).hostkey.identity),
) as [TestHostkeyName, TestHostkeyName];

function two(kind: Kind = 'card') {
  const world = new World(kind);
  return { world, small: world.person(SMALL), large: world.person(LARGE) };
}

function ends(...people: Person[]): (CallEnd | undefined)[] {
  return people.map((one) => one.ends.at(-1));
}

describe('a call', () => {
  it.each(['card', 'hostkey'] as const)(
    'goes from dialling to the end between people with a %s',
    (kind) => {
      const { world, small, large } = two(kind);
      small.dial(large);
      world.run(2000);
      expect([small.states, large.states]).toEqual([['ringing'], ['incoming']]);
      large.command('answer');
      world.run(1000);
      expect([small.states, large.states]).toEqual([['active'], ['active']]);
      small.command('hang up');
      world.run(1000);
      expect(ends(small, large)).toEqual([
        { reason: 'completed', by: 'us' },
        { reason: 'completed', by: 'them' },
      ]);
      world.run(12_000);
      expect([small.states, large.states]).toEqual([[], []]);
    },
  );

  it.each([
    ['decline', 'declined'],
    ['cancel', 'cancelled'],
    ['nothing', 'unanswered'],
  ] as const)('ends with the same word for both after %s: %s', (act, reason) => {
    const { world, small, large } = two();
    small.dial(large);
    world.run(2000);
    if (act === 'decline') large.command('decline');
    if (act === 'cancel') small.command('hang up');
    world.run(62_000);
    expect(ends(small, large).map((end) => end?.reason)).toEqual([reason, reason]);
  });

  it('to somebody who is not there is unreachable', () => {
    const { world, small, large } = two();
    large.isAway = true;
    small.dial(large);
    world.run(16_000);
    expect(ends(small)).toEqual([{ reason: 'unreachable', by: 'nobody' }]);
  });

  it('goes on through a new tunnel that the caller opens', () => {
    const { world, small, large } = two();
    small.dial(large);
    world.run(2000);
    large.command('answer');
    world.run(1000);
    world.cut();
    world.run(2000);
    expect([small.states, large.states]).toEqual([['active'], ['active']]);
    expect(world.tunnels).toBe(2);
  });

  it('ends on both sides when the callee dies', () => {
    const { world, small, large } = two();
    small.dial(large);
    world.run(2000);
    large.command('answer');
    world.run(1000);
    large.isAway = true;
    world.run(41_000);
    expect(ends(small)).toEqual([{ reason: 'connection lost', by: 'nobody' }]);
  });

  it('is carried by two tunnels at once around a switch of rounds, and no frame counts twice', () => {
    const { world, small, large } = two();
    small.dial(large);
    world.run(2000);
    large.command('answer');
    world.run(500);
    world.connect(small, large, small.number);
    for (let i = 0; i < 100; i++) {
      small.say(Uint8Array.of(i));
      world.slot();
    }
    world.run(500);
    expect(large.heard).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(large.calls.calls).toHaveLength(1);
    const [call] = large.calls.calls;
    expect(call && large.calls.legsOf(call.number)).toHaveLength(2);
  });
});

describe('glare', () => {
  it.each(['card', 'hostkey'] as const)(
    'leaves the offer of the smaller identity, answered, for a %s',
    (kind) => {
      for (let apartMs = 0; apartMs <= 400; apartMs += kind === 'card' ? 20 : 80) {
        for (const first of ['small', 'large'] as const) {
          const { world, small, large } = two(kind);
          const [one, other] = first === 'small' ? [small, large] : [large, small];
          one.dial(other);
          world.run(apartMs);
          other.dial(one);
          world.run(3000);
          expect([apartMs, first, small.states, large.states]).toEqual([
            apartMs,
            first,
            ['active'],
            ['active'],
          ]);
          const talking = [small, large].map(({ calls }) =>
            calls.calls.filter(({ call }) => call.state === 'active'),
          );
          expect(talking.map((list) => list.length)).toEqual([1, 1]);
        }
      }
    },
  );

  it('is settled the same way where 30 % are lost, also when the proofs of both calls cross', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const world = new World('hostkey', 'waiting', { ...AWFUL, seed });
      const [small, large] = [world.person(SMALL), world.person(LARGE)];
      large.dial(small);
      world.run(150 + 15 * seed);
      small.dial(large);
      world.run(8000);
      expect([seed, small.states, large.states]).toEqual([seed, ['active'], ['active']]);
    }
  });

  it('is not an end for anybody’s history', () => {
    const { world, small, large } = two();
    small.dial(large);
    large.dial(small);
    world.run(3000);
    expect(large.ends).toEqual([{ reason: 'superseded', by: 'nobody' }]);
    expect(small.ends).toEqual([]);
  });

  it('is answered by dialling whoever rings already', () => {
    const { world, small, large } = two();
    small.dial(large);
    world.run(2000);
    large.dial(small);
    world.run(1000);
    expect([small.states, large.states]).toEqual([['active'], ['active']]);
  });
});

describe('somebody who is in a call', () => {
  function busy(whenBusy: 'waiting' | 'unavailable' = 'waiting') {
    const world = new World('card', whenBusy);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    alice.dial(bob);
    world.run(1000);
    bob.command('answer');
    world.run(1000);
    return { world, alice, bob, carol: world.person('carol') };
  }

  it('has the second caller wait, who is told; and rings when the first call ends', () => {
    const { world, alice, bob, carol } = busy();
    carol.dial(bob);
    world.run(1000);
    expect(carol.isWaiting).toBe(true);
    expect(bob.states).toEqual(['active', 'incoming']);
    alice.command('hang up');
    world.run(1000);
    expect(carol.isWaiting).toBe(false);
    expect(carol.states).toEqual(['ringing']);
  });

  it('holds the first when it answers the second', () => {
    const { world, alice, bob, carol } = busy();
    carol.dial(bob);
    world.run(1000);
    bob.command('answer', bob.numberOf('incoming'));
    world.run(1000);
    expect([alice.states, carol.states]).toEqual([['held'], ['active']]);
    bob.command('resume', bob.numberOf('holding'));
    world.run(1000);
    expect([alice.states, carol.states]).toEqual([['active'], ['held']]);
  });

  it('can refuse without saying that there is a call, and nobody is told', () => {
    const { world, bob, carol } = busy('unavailable');
    carol.dial(bob);
    world.run(2000);
    expect(ends(carol)).toEqual([{ reason: 'unavailable', by: 'them' }]);
    expect(carol.wasWaiting).toBe(false);
    expect(bob.incoming).toBe(1);
  });

  it('cannot dial another', () => {
    const { alice, carol, world } = busy();
    alice.dial(carol);
    world.run(1000);
    expect(alice.states).toEqual(['active']);
    expect(carol.incoming).toBe(0);
  });

  it(`has ${WAITING_MAX} wait, and is busy for more`, () => {
    const { world, bob } = busy();
    const others = Array.from({ length: WAITING_MAX + 1 }, (_, i) => world.stranger(i));
    for (const other of others) {
      other.dial(bob);
      world.run(500);
    }
    expect(ends(...others).map((end) => end?.reason)).toEqual([
      ...new Array(WAITING_MAX).fill(undefined),
      'busy',
    ]);
    expect(bob.states.filter((state) => state === 'incoming')).toHaveLength(WAITING_MAX);
  });
});

describe('strangers and blocked friends (attack 26)', () => {
  it.each(['card', 'hostkey'] as const)('get silence: no frame, no event, with a %s', (kind) => {
    const { world, small, large } = two(kind);
    large.blocked.add(SMALL);
    small.dial(large);
    world.run(16_000);
    expect(ends(small)).toEqual([{ reason: 'unreachable', by: 'nobody' }]);
    expect(large.framesSent).toBe(0);
    expect(large.incoming).toBe(0);
    expect(large.calls.calls).toEqual([]);
  });

  it('cannot keep a friend out with tunnels that say nothing', () => {
    const { world, small, large } = two();
    const stranger = world.stranger(1);
    for (let i = 0; i < 100; i++) world.connect(stranger, large, undefined);
    small.dial(large);
    world.run(2000);
    expect([small.states, large.states]).toEqual([['ringing'], ['incoming']]);
  });

  it('cannot keep others out by dialling all the time (attack 27, call floods)', () => {
    const { world, small, large } = two();
    for (let i = 0; i < 20; i++) {
      small.dial(large);
      world.run(300);
      small.command('hang up');
      world.run(200);
    }
    expect(large.calls.calls.length).toBeLessThanOrEqual(3);
    const carol = world.person('carol');
    carol.dial(large);
    world.run(2000);
    expect(carol.states).toEqual(['ringing']);
  });
});

describe('an offer that is repeated', () => {
  it('to another tunnel, after the call, rings nobody (attack 27, ghost ringing)', () => {
    const { world, small, large } = two();
    const recorded = world.record();
    small.dial(large);
    world.run(2000);
    small.command('hang up');
    world.run(15_000);
    expect(large.incoming).toBe(1);
    world.replay(recorded, large);
    world.run(CONFIRM_MS * 2);
    expect(large.incoming).toBe(1);
    expect(large.calls.calls).toEqual([]);
  });
});

describe('anything at any time, over a network that loses 30 %, repeats and reorders (attack 27)', () => {
  it.each(Array.from({ length: 8 }, (_, i) => i + 1))(
    'agrees in the end, or everybody is idle: seed %i',
    (seed) => {
      const world = new World('card', 'waiting', {
        loss: 0.3,
        duplicates: 0.1,
        delayMs: 60,
        jitterMs: 120,
        seed,
      });
      const people = (['alice', 'bob', 'carol'] as const).map((name) => world.person(name));
      const dice = new SeededRng(seed);
      for (let act = 0; act < 60; act++) {
        const one = people[randomBelow(dice, 3)] as Person;
        const other = people[randomBelow(dice, 3)] as Person;
        const what = randomBelow(dice, 9);
        const commands = ['answer', 'decline', 'hang up', 'hold', 'resume', 'answer'] as const;
        const command = commands[what];
        const numbers = one.calls.calls.map(({ number }) => number);
        if (command) one.command(command, numbers[randomBelow(dice, numbers.length || 1)]);
        else if (what < 8 && one !== other) one.dial(other);
        else world.cut();
        world.run(20 * randomBelow(dice, 100));
      }
      // Nobody touches anything any more, and nobody lets it ring for ever: what talks agrees.
      world.run(65_000);
      expect(world.disagreements()).toEqual([]);
      for (const one of people) {
        for (const { number } of one.calls.calls) one.command('hang up', number);
      }
      world.run(60_000);
      expect(people.map(({ states }) => states)).toEqual([[], [], []]);
    },
  );
});

it('knows nobody by a hint of another', () => {
  expect(peerOf(person('alice')).identity).not.toEqual(peerOf(person('bob')).identity);
});
