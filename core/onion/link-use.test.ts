import { describe, expect, it } from 'vitest';
import { LinkUse } from './link-use.ts';
import type { PlaneCommand } from './plane-port.ts';

const NONE: readonly Uint8Array[] = [];

/** Tells the changes of the last command alone. */
function watched(): (command: PlaneCommand) => string[] {
  let changes: string[] = [];
  const use = new LinkUse((link, inUse) => changes.push(`${link} ${inUse ? 'used' : 'unused'}`));
  return (command) => {
    changes = [];
    use.on(command);
    return changes;
  };
}

function own(circuit: number, link: number): PlaneCommand {
  return { type: 'add own', circuit, link, circId: 1, cells: NONE };
}

function relayed(circuit: number, link: number): PlaneCommand {
  return {
    type: 'add relayed',
    circuit,
    link,
    circId: 1,
    secret: new Uint8Array(),
    cells: NONE,
  };
}

function connect(circuit: number, link: number): PlaneCommand {
  return { type: 'connect next', circuit, link, circId: 1, cells: NONE };
}

describe('a link', () => {
  it('is in use from its first circuit to its last', () => {
    const on = watched();
    expect(on(own(1, 7))).toEqual(['7 used']);
    expect(on(relayed(2, 7))).toEqual([]);
    expect(on({ type: 'remove', circuit: 1 })).toEqual([]);
    expect(on({ type: 'remove', circuit: 2 })).toEqual(['7 unused']);
    expect(on({ type: 'remove', circuit: 2 })).toEqual([]);
  });

  it('is in use for either side of a relayed circuit', () => {
    const on = watched();
    expect(on(relayed(1, 7))).toEqual(['7 used']);
    expect(on(connect(1, 8))).toEqual(['8 used']);
    expect(on({ type: 'disconnect next', circuit: 1 })).toEqual(['8 unused']);
    expect(on(connect(1, 9))).toEqual(['9 used']);
    expect(on(connect(1, 8))).toEqual(['9 unused', '8 used']);
    expect(on({ type: 'remove', circuit: 1 })).toEqual(['8 unused', '7 unused']);
  });

  it('may be both sides of one circuit', () => {
    const on = watched();
    on(relayed(1, 7));
    expect(on(connect(1, 7))).toEqual([]);
    expect(on({ type: 'disconnect next', circuit: 1 })).toEqual([]);
    expect(on({ type: 'remove', circuit: 1 })).toEqual(['7 unused']);
  });

  it('is not touched by anything else', () => {
    const on = watched();
    const messages = NONE;
    expect(on({ type: 'send inner', circuit: 1, queue: 'data', messages })).toEqual([]);
    expect(on({ type: 'relay', circuit: 1 })).toEqual([]);
    expect(on({ type: 'disconnect next', circuit: 1 })).toEqual([]);
  });
});
