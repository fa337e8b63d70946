import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import type { ItemId } from './item.ts';
import { DEAR_TYPE, encodedItem, FREE_TYPE, WALL_MS } from './testing/fixtures.ts';
import { ALICE, approve, BOB, CLIENT, idOf, pushOf, running, scoreOf } from './testing/machine.ts';

describe('telling and asking', () => {
  const crowd = Array.from({ length: 12 }, (_, i) => i + 11);

  it('tells at each of three heartbeats some neighbours outside the mesh what came', () => {
    const machine = running(crowd);
    const push = pushOf('hello');
    machine.say(ALICE, push);
    approve(machine);
    const pushed = new Set(machine.takeSent('push').map(({ to }) => to));
    expect(pushed.size).toBeGreaterThanOrEqual(3);
    const told = [1, 2, 3, 4].map(() => {
      machine.wait(1000);
      return machine.takeSent('ihave');
    });
    for (const { to, message } of told.flat()) {
      expect(pushed.has(to) || to === ALICE).toBe(false);
      expect(message.ids).toEqual([idOf(push)]);
    }
    const counts = told.map((heartbeat) => heartbeat.length);
    expect(counts.slice(0, 2).every((count) => count >= 5)).toBe(true);
    expect(counts[3]).toBe(0);
  });

  it('asks for what it does not know, once', () => {
    const machine = running([ALICE, BOB]);
    const [known, unknown] = [pushOf('known'), pushOf('unknown')];
    machine.say(ALICE, known).take();
    const ids = [known, unknown].map(idOf);
    machine.say(BOB, { type: 'ihave', ids }).say(ALICE, { type: 'ihave', ids });
    expect(machine.take()).toEqual([
      { type: 'send', to: BOB, message: { type: 'iwant', ids: [idOf(unknown)] } },
    ]);
  });

  it('asks somebody else when the first does not deliver', () => {
    const machine = running([ALICE, BOB]);
    const ids = [idOf(pushOf('unknown'))];
    machine.say(BOB, { type: 'ihave', ids }).say(ALICE, { type: 'ihave', ids });
    expect(machine.takeSent('iwant').map(({ to }) => to)).toEqual([BOB]);
    machine.wait(2200);
    expect(machine.takeSent('iwant').map(({ to }) => to)).toEqual([ALICE]);
  });

  it('attack 20: a neighbour that tells of items it does not have breaks promises', () => {
    const machine = running([ALICE]);
    machine.say(ALICE, { type: 'ihave', ids: [idOf(pushOf('none'))] }).wait(12_000);
    expect(scoreOf(machine, ALICE)).toBeLessThan(-4);
    expect(scoreOf(machine, ALICE)).toBeGreaterThan(-5);
  });

  it('breaks no promise when the item came from somebody else', () => {
    const machine = running([ALICE, BOB]);
    const push = pushOf('late');
    machine
      .say(ALICE, { type: 'ihave', ids: [idOf(push)] })
      .say(BOB, push)
      .wait(12_000);
    expect(scoreOf(machine, ALICE)).toBeGreaterThanOrEqual(0);
  });

  it('gives what is asked for, three times at most', () => {
    const machine = running([ALICE, BOB]);
    const push = pushOf('hello');
    machine.say(ALICE, push);
    approve(machine);
    machine.take();
    const asked = [0, 1, 2, 3, 4].map(() => {
      machine.wait(1000).take();
      return machine.say(BOB, { type: 'iwant', ids: [idOf(push)] }).takeSent('push').length;
    });
    expect(asked).toEqual([1, 1, 1, 0, 0]);
  });

  it('attack 20: looks at 5000 ids per heartbeat, of all neighbours together', () => {
    const machine = running(crowd);
    let wanted = 0;
    for (const number of crowd) {
      for (let round = 0; round < 3; round++) {
        const ids = Array.from({ length: 256 }, (_, i) =>
          String.fromCharCode(number, round, i, ...new Array(13).fill(0)),
        ) as ItemId[];
        machine.say(number, { type: 'ihave', ids });
        wanted += machine.takeSent('iwant').length;
      }
    }
    expect(wanted).toBe(Math.ceil(5000 / 256));
  });

  it('gives in return for a PULL what the other lacks and understands', () => {
    const machine = running([ALICE]);
    machine.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE });
    const items = ['a', 'b', 'c'].map((text) => pushOf(text));
    const other = { type: 'push', item: encodedItem(utf8('d'), { dataType: DEAR_TYPE }) } as const;
    for (const push of [...items, other]) {
      machine.say(ALICE, push);
      approve(machine);
    }
    machine.join(BOB, { dataTypes: [FREE_TYPE] }).take();
    const [first] = items;
    if (first === undefined) throw new Error('no item');
    machine.say(BOB, { type: 'pull', sinceMin: 0, ids: [idOf(first)] });
    const given = machine.takeSent('push').map(({ message }) => message.item);
    expect(given).toEqual([items[2]?.item, items[1]?.item]);
  });

  it('gives nothing that is older than was asked for, or than a quarter of an hour', () => {
    const machine = running([ALICE]);
    const old = {
      type: 'push',
      item: encodedItem(utf8('old'), { wallMs: WALL_MS - 16 * 60_000 }),
    } as const;
    for (const push of [old, pushOf('new')]) {
      machine.say(ALICE, push);
      approve(machine);
    }
    machine.join(BOB, { dataTypes: [FREE_TYPE] }).take();
    machine.say(BOB, { type: 'pull', sinceMin: 0, ids: [] });
    expect(machine.takeSent('push')).toHaveLength(1);
    machine.say(BOB, { type: 'pull', sinceMin: WALL_MS / 60_000, ids: [] });
    expect(machine.takeSent('push')).toHaveLength(0);
  });

  it('names in a PULL all it has seen, whether it was good or not', () => {
    const machine = running([ALICE]);
    const [good, bad, waiting] = [pushOf('good'), pushOf('bad'), pushOf('waiting')];
    machine.say(ALICE, good);
    approve(machine);
    machine.say(ALICE, bad);
    approve(machine, 'refuse');
    machine.say(ALICE, waiting).take();
    const [pull] = machine.join(BOB).takeSent('pull');
    expect(new Set(pull?.message.ids)).toEqual(new Set([good, bad, waiting].map(idOf)));
  });

  it('asks two neighbours for what they have every 30 s', () => {
    const machine = running(crowd);
    const pulls = machine.wait(31_000).takeSent('pull');
    expect(pulls).toHaveLength(2);
  });

  it('answers PULL, PEERS and PING no more often than it should', () => {
    const machine = running([ALICE]);
    machine.say(ALICE, pushOf('x'));
    approve(machine);
    machine.join(BOB, { dataTypes: [FREE_TYPE] }).take();
    const nonce = new Uint8Array(8);
    for (let i = 0; i < 50; i++) {
      machine.say(BOB, { type: 'ping', nonce }).say(BOB, { type: 'peers request' });
    }
    const answers = machine.takeOf('send').map(({ message }) => message.type);
    expect(answers.filter((type) => type === 'pong')).toHaveLength(3);
    expect(answers.filter((type) => type === 'peers')).toHaveLength(2);
  });
});
