// What happens to a profile when its process dies with SIGKILL, at moments nobody chose. A power cut is beyond a test:
// that a commit waits for the disk is checked by the pragmas in sql.test.ts.

import { mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomBelow, realRng } from '../runtime/index.ts';
import { openStore, secretKind } from './index.ts';
import { key, optionsFor, PARTS } from './testing/options.ts';
import { Writer } from './testing/process.ts';

let scratch: string;
let folder: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'voidphone-crash-'));
});

beforeEach(async () => {
  folder = await newFolder();
});

afterAll(() => rm(scratch, { recursive: true }));

function newFolder(): Promise<string> {
  return mkdtemp(join(scratch, 'profile-'));
}

function writer(profile: string): Writer {
  return new Writer(profile, join(scratch, 'cache'));
}

/** The numbers in the profile, after checking that it is intact and that every commit is whole. */
async function commitsIn(profile: string): Promise<number[]> {
  const store = await openStore(optionsFor(profile));
  store.sql.check();
  const rows = store.sql
    .prepare<[], { number: number; parts: number }>(
      'select number, count(*) parts from commits group by number order by number',
    )
    .all();
  store.close();
  expect(rows.filter(({ parts }) => parts !== PARTS)).toEqual([]);
  return rows.map(({ number }) => number);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

/** Seconds on a machine that has nothing else to do. */
const PATIENCE_MS = 120_000;

describe('after kill -9', { timeout: PATIENCE_MS }, () => {
  it('has every commit that was acknowledged, and at most one more', async () => {
    let committed = 0;
    let next = writer(folder);
    for (let kill = 0; kill < 20; kill++) {
      const current = next.begin();
      next = writer(folder);
      await current.writtenLines(3 + randomBelow(realRng, 30));
      const acknowledged = Number((await current.kill()).at(-1));
      expect(acknowledged).toBeGreaterThan(committed);
      const commits = await commitsIn(folder);
      committed = commits.length;
      expect(commits).toEqual(upTo(committed));
      expect([acknowledged, acknowledged + 1]).toContain(committed);
    }
    await next.kill();
  });

  it('while the profile is made, makes it the next time', async () => {
    let next = writer(await newFolder());
    for (let kill = 0; kill < 8; kill++) {
      const current = next;
      next = writer(await newFolder());
      const changed = changesIn(current.folder, 1 + 3 * kill);
      current.begin();
      await Promise.race([changed, current.end]);
      const lines = await current.kill();
      const acknowledged = lines.includes('open') ? lines.length - 2 : 0;
      const commits = await commitsIn(current.folder);
      expect([acknowledged, acknowledged + 1]).toContain(commits.length);
    }
    await next.kill();
  });
});

/** Making a profile takes about twenty changes, of which some are seen as one. */
async function changesIn(profile: string, count: number): Promise<void> {
  let seen = 0;
  for await (const _ of watch(profile)) {
    if (++seen === count) return;
  }
}

describe('while another process has the profile', () => {
  it('refuses it, also without the lock file, and takes it as soon as that process is killed', async () => {
    const other = writer(folder).begin();
    await other.writtenLines(2);
    const inUse = {
      fault: 'in use',
      message: expect.stringMatching(`^${folder}: another VoidPhone is using this profile;`),
    };
    await expect(openStore(optionsFor(folder))).rejects.toMatchObject(inUse);
    await rm(join(folder, 'store.lock'));
    await expect(openStore(optionsFor(folder))).rejects.toMatchObject(inUse);
    await other.kill();
    expect(await commitsIn(folder)).not.toEqual([]);
  });

  it('keeps it from that process, whatever else this one tries meanwhile', async () => {
    const store = await openStore(optionsFor(folder));
    await expect(openStore(optionsFor(folder))).rejects.toMatchObject({ fault: 'in use' });
    await expect(secretKind(folder)).rejects.toMatchObject({ fault: 'in use' });
    await store.changeSecret(key, key);
    await store.exportTo(join(folder, 'copy'));
    expect(await writer(folder).begin().writtenLines(3)).toEqual(['opening', 'in use']);
    store.close();
  });
});
