import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeState } from './state.ts';
import { openStateFile } from './state-file.ts';

const STATE = { secret: new Uint8Array(32).fill(7), anchors: [], nodes: [], bans: [] };

let folder = '';
let faults: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-gossip-state-'));
  faults = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function open(path: string) {
  return openStateFile(path, (what) => faults.push(what));
}

describe('the file of what gossip keeps', () => {
  it('is there for the next run, and for nobody else', async () => {
    const path = join(folder, 'state');
    const file = await open(path);
    file.save({ ...STATE, secret: new Uint8Array(32) });
    file.save(STATE);
    await file.flush();
    expect((await open(path)).saved).toEqual(STATE);
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(faults).toEqual([]);
  });

  it('is begun anew when it is broken, and that is said', async () => {
    const path = join(folder, 'state');
    await writeFile(path, 'nothing that we wrote');
    const file = await open(path);
    expect(file.saved).toBeUndefined();
    expect(faults).toHaveLength(1);
    file.save(STATE);
    await file.flush();
    expect(new Uint8Array(await readFile(path))).toEqual(encodeState(STATE));
  });

  it('is said to be unwritable when it is, and nothing ends', async () => {
    const file = await open(join(folder, 'missing', 'state'));
    file.save(STATE);
    await file.flush();
    expect(faults).toHaveLength(1);
  });
});
