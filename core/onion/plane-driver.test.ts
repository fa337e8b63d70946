import { describe, expect, it } from 'vitest';
import { simulate } from '../sim/index.ts';
import type { RunningPlane } from './plane-driver.ts';
import { startPlaneHere, startPlaneThread } from './plane-driver.ts';
import type { PlaneCommand } from './plane-port.ts';
import { createCells } from './testing/planes.ts';

const SETTINGS = { roundSeconds: 300, tickMs: 20, allowPrivate: true };
const PLACE = { circuit: 1, link: 1, circId: 9 };

/** All commands that bring keys, each of which is all ones. */
function withKeys() {
  const keys = Array.from({ length: 4 }, () => new Uint8Array(32).fill(1));
  const [sendKey, receiveKey, hop, relayed] = keys as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const indices = { sendIndex: 1, receiveIndex: 2, sendsFirst: true };
  const route = { transport: 'udp', to: { ip: '127.0.0.1', port: 9 } } as const;
  const commands: PlaneCommand[] = [
    {
      type: 'add session',
      session: { link: 1, stage: 'open', route, keys: { sendKey, receiveKey, ...indices } },
    },
    { type: 'add own', ...PLACE, cells: createCells(9) },
    { type: 'add hop', circuit: 1, secret: hop },
    { type: 'add relayed', ...PLACE, circuit: 2, circId: 10, secret: relayed, cells: [] },
  ];
  return { keys, commands };
}

function expectWiped(plane: RunningPlane): void {
  const { keys, commands } = withKeys();
  for (const command of commands) plane.post(command);
  for (const key of keys) expect(key).toEqual(new Uint8Array(32));
}

describe('keys that a data plane has been given', () => {
  it('are wiped on the side of the control plane', async () => {
    await simulate({ seed: 1 }, async (world) => {
      expectWiped(startPlaneHere(world.host('a').start())(SETTINGS, () => {}));
    });
  });

  it('are wiped there when they went to another thread', async () => {
    const plane = startPlaneThread(SETTINGS, () => {});
    expectWiped(plane);
    await plane.stop();
  });
});
