import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DecodeError, decodeUtf8, utf8 } from '../bytes/index.ts';
import { openKeptFile, type Shape } from './kept-file.ts';

const WORDS: Shape<string> = {
  bytesMax: 20,
  encode: utf8,
  decode(bytes) {
    const text = decodeUtf8(bytes);
    if (!text.startsWith('word ')) throw new DecodeError('no words');
    return text;
  },
};

let folder = '';
let faults: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-kept-'));
  faults = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function open(path: string) {
  return openKeptFile(path, WORDS, (what) => faults.push(what));
}

describe('a file of what a module keeps', () => {
  it('is there for the next run, and for nobody else', async () => {
    const path = join(folder, 'state');
    const file = await open(path);
    file.save('word one');
    file.save('word two');
    await file.flush();
    expect((await open(path)).saved).toBe('word two');
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(faults).toEqual([]);
  });

  it('is begun anew when it is broken, and that is said', async () => {
    const path = join(folder, 'state');
    for (const wrong of ['nothing we wrote', 'word that is far too long']) {
      await writeFile(path, wrong);
      expect((await open(path)).saved).toBeUndefined();
    }
    expect(faults).toHaveLength(2);
    expect(faults[0]).toBe(`${path}: no words; beginning anew`);
    const file = await open(path);
    file.save('word three');
    await file.flush();
    expect(await readFile(path, 'utf8')).toBe('word three');
  });

  it('is said to be unwritable when it is, and nothing ends', async () => {
    const file = await open(join(folder, 'missing', 'state'));
    file.save('word four');
    await file.flush();
    expect(faults).toHaveLength(1);
  });
});
