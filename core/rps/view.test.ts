import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { parametersFor } from './parameters.ts';
import { contacts } from './testing/contacts.ts';
import { View } from './view.ts';

const SMALL = parametersFor(undefined);

function viewOf(count: number): View {
  const view = new View(new SeededRng(1));
  for (const one of contacts(1000, count)) view.seed(one, SMALL);
  return view;
}

function push(view: View, count: number): boolean[] {
  return contacts(0, count).map((one) => view.onPush(one, SMALL));
}

describe('the numbers of Brahms', () => {
  it('grow with the cube root of the network, within bounds', () => {
    expect([undefined, 20, 1000, 10_000, 1e9].map((n) => parametersFor(n).view)).toEqual([
      16, 16, 30, 65, 100,
    ]);
    expect(SMALL).toEqual({
      view: 16,
      samplers: 128,
      pushed: 7,
      pulled: 7,
      sampled: 2,
      pushesMax: 13,
    });
    expect(parametersFor(10_000).samplers).toBe(130);
  });
});

describe('the view', () => {
  it('is drawn from pushes, pulls and samplers', () => {
    const view = viewOf(10);
    push(view, 12);
    view.onPulled(contacts(100, 30));
    expect(view.renew(contacts(200, 30), SMALL, true)).toBe(true);
    const groups = view.contacts.map(({ identity }) => {
      const number = new DataView(identity.buffer).getUint32(0);
      return number < 100 ? 'pushed' : number < 200 ? 'pulled' : 'sampled';
    });
    const count = (group: string): number => groups.filter((one) => one === group).length;
    expect([count('pushed'), count('pulled'), count('sampled')]).toEqual([7, 7, 2]);
  });

  it('is filled from the samplers where few are told of', () => {
    const view = viewOf(3);
    push(view, 2);
    view.onPulled(contacts(0, 3));
    view.renew(contacts(200, 30), SMALL, true);
    expect(view.contacts).toHaveLength(16);
  });

  it('stays when somebody floods it with pushes (attack 19)', () => {
    const view = viewOf(10);
    const before = view.contacts;
    view.onPulled(contacts(100, 30));
    const taken = push(view, 100).filter((isTaken) => isTaken);
    expect(taken).toHaveLength(SMALL.pushesMax + 1);
    expect(view.renew(contacts(200, 30), SMALL, true)).toBe(false);
    expect(view.contacts).toBe(before);
  });

  it('counts one push of each node in a round', () => {
    const view = viewOf(10);
    expect([...push(view, 1), ...push(view, 1)]).toEqual([true, false]);
    view.renew([], SMALL, true);
    expect(push(view, 1)).toEqual([true]);
  });

  it('stays without pushes or without pulls, but for who cannot be pushed to', () => {
    const view = viewOf(10);
    push(view, 3);
    expect(view.renew([], SMALL, true)).toBe(false);
    view.onPulled(contacts(100, 30));
    expect(view.renew([], SMALL, true)).toBe(false);
    view.onPulled(contacts(100, 30));
    expect(view.renew([], SMALL, false)).toBe(true);
  });

  it('takes contacts to begin with only as long as there is room', () => {
    expect(viewOf(40).contacts).toHaveLength(16);
  });
});
