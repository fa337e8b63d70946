import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { CELL_BYTES, COMMAND, type Command, writeCellHeader } from './cells.ts';
import { SETUP_CELLS_MAX } from './handshake.ts';
import { PlaneLink, SWEEP_MS } from './plane-link.ts';
import { DataPacket } from './wire.ts';

const provider = chooseProvider();
const route = { transport: 'udp', to: { ip: '20.0.0.1', port: 4000 } } as const;

function link(): PlaneLink {
  return new PlaneLink(1, route, new SeededRng(1), 0);
}

function session(to: PlaneLink, receiveIndex: number, stage: 'setup' | 'open', sendsFirst = true) {
  const key = new Uint8Array(32);
  const keys = { sendKey: key, receiveKey: key, sendIndex: 9, receiveIndex, sendsFirst };
  return to.add({ link: 1, route, stage, keys }, provider, 0);
}

function cell(command: Command): Uint8Array {
  const bytes = new Uint8Array(CELL_BYTES);
  const ofLink = command === COMMAND.padding || command === COMMAND.linkControl;
  writeCellHeader(bytes, ofLink ? 0 : 1, command);
  return bytes;
}

describe('silence', () => {
  it('is counted while the program runs, not while it is stopped', () => {
    const one = link();
    session(one, 1, 'open');
    one.setBusy(true);
    expect(one.sweep(1000)).toEqual([]);
    expect(one.sweep(3_600_000)).not.toContain('dead');
    for (let n = 1; n < 4; n++) expect(one.sweep(3_600_000 + n * SWEEP_MS)).not.toContain('dead');
    expect(one.sweep(3_600_000 + 4 * SWEEP_MS)).toContain('dead');
    expect(one.sweep(3_600_000 + 5 * SWEEP_MS)).not.toContain('dead');
  });

  it('does not begin again with every circuit', () => {
    const one = link();
    session(one, 1, 'open');
    let swept = 0;
    for (; swept < 10; swept++) {
      one.setBusy(true);
      if (one.sweep(swept * SWEEP_MS).includes('dead')) break;
    }
    expect(swept).toBe(5);
  });
});

describe('a link that is not open yet', () => {
  it('takes its set-up and padding, and not much of it', () => {
    const one = link();
    const setup = session(one, 1, 'setup');
    for (let i = 0; i < SETUP_CELLS_MAX; i++) {
      const command = i % 2 === 0 ? COMMAND.padding : COMMAND.linkControl;
      expect(one.judge(cell(command), setup).type).toBe('pass');
    }
    expect(one.judge(cell(COMMAND.padding), setup).type).toBe('drop');
  });

  it('takes no circuit, in the set-up session not even once it is open', () => {
    const one = link();
    const setup = session(one, 1, 'setup');
    const open = session(one, 2, 'open');
    for (const command of [COMMAND.create, COMMAND.relay, COMMAND.destroy] as const) {
      expect(one.judge(cell(command), setup).type).toBe('violation');
    }
    expect(one.judge(cell(COMMAND.relay), open).type).toBe('pass');
  });
});

describe('sessions', () => {
  it('that the other side may not have yet are sent in once it has used them', () => {
    const one = link();
    const first = session(one, 1, 'open');
    const next = session(one, 2, 'open', false);
    expect(one.hear(first, 0)).toBe(true);
    expect(one.hear(first, 0)).toBe(false);
    expect(first.session.isOver(10_001)).toBe(false);
    expect(one.hear(next, 1)).toBe(true);
    expect(first.session.isOver(10_001)).toBe(true);
    expect(one.takeEnded(10_001)).toEqual([first]);
    expect(one.sessions).toEqual(new Set([next]));
    expect(one.seal(new DataPacket(), 1)).toBe(true);
  });
});

describe('packets from elsewhere', () => {
  it('are not the neighbour s', () => {
    const overUdp = link();
    expect(overUdp.comesFrom({ ip: '20.0.0.1', port: 4000 }, undefined)).toBe(true);
    expect(overUdp.comesFrom({ ip: '20.0.0.1', port: 4001 }, undefined)).toBe(false);
    expect(overUdp.comesFrom({ ip: '20.0.0.2', port: 4000 }, undefined)).toBe(false);
    expect(overUdp.comesFrom({ ip: '20.0.0.1', port: 4000 }, 3)).toBe(false);
    const overStream = new PlaneLink(1, { transport: 'stream', stream: 3 }, new SeededRng(1), 0);
    expect(overStream.comesFrom({ ip: '20.0.0.1', port: 4000 }, 3)).toBe(true);
    expect(overStream.comesFrom({ ip: '20.0.0.1', port: 4000 }, undefined)).toBe(false);
    expect(overStream.comesFrom({ ip: '20.0.0.1', port: 4000 }, 5)).toBe(false);
  });
});
