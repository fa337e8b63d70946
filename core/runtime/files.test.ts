import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeUtf8, utf8 } from '../bytes/index.ts';
import { makeFolder, pathBeside, readFile, writeFileAtomic } from './files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-files-'));
});

afterEach(() => rm(folder, { recursive: true }));

const SECRET = { mode: 0o600, existing: 'replace' } as const;
const posix = it.skipIf(process.platform === 'win32');

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

async function textOf(path: string): Promise<string> {
  return decodeUtf8((await readFile(path, 100)).bytes);
}

describe('readFile', () => {
  it('reads exactly as many bytes as are allowed, and not one more', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'x'.repeat(100));
    expect((await readFile(path, 100)).bytes).toHaveLength(100);
    await expect(readFile(path, 99)).rejects.toMatchObject({
      fault: 'too large',
      message: `${path}: too large`,
    });
  });

  posix('stops at the limit of an endless device', async () => {
    await expect(readFile('/dev/zero', 100)).rejects.toMatchObject({ fault: 'too large' });
  });

  posix.each([
    [0o600, false],
    [0o400, false],
    [0o640, true],
    [0o604, true],
    [0o602, true],
  ])('of mode %o says that it is open to others: %s', async (mode, expected) => {
    const path = join(folder, 'file');
    await writeFile(path, 'text');
    await chmod(path, mode);
    expect((await readFile(path, 100)).openToOthers).toBe(expected);
  });

  it('tells a missing file from a folder', async () => {
    await expect(readFile(join(folder, 'none'), 1)).rejects.toMatchObject({ fault: 'not found' });
    await expect(readFile(folder, 1)).rejects.toMatchObject({ fault: 'is a folder' });
  });
});

describe('pathBeside', () => {
  it('starts at the folder of the file it is written in', () => {
    expect(pathBeside(join(folder, 'a.ini'), 'key.pem')).toBe(join(folder, 'key.pem'));
    expect(pathBeside(join(folder, 'in', 'a.ini'), '../key.pem')).toBe(join(folder, 'key.pem'));
    expect(pathBeside('a.ini', 'key.pem')).toBe(join(process.cwd(), 'key.pem'));
  });

  it('leaves an absolute path alone', () => {
    expect(pathBeside(join(folder, 'a.ini'), tmpdir())).toBe(tmpdir());
  });
});

describe('writeFileAtomic', () => {
  it('writes a new file and leaves nothing else behind', async () => {
    const path = join(folder, 'file');
    await writeFileAtomic(path, utf8('one'), SECRET);
    expect(await textOf(path)).toBe('one');
    expect(await readdir(folder)).toEqual(['file']);
  });

  posix('gives the new file its mode, whatever the old one had', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    await chmod(path, 0o644);
    await writeFileAtomic(path, utf8('new'), SECRET);
    expect(await textOf(path)).toBe('new');
    expect(await modeOf(path)).toBe(0o600);
  });

  it('keeps an existing file when told to', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    const write = writeFileAtomic(path, utf8('new'), { mode: 0o600, existing: 'keep' });
    await expect(write).rejects.toMatchObject({ fault: 'exists already' });
    expect(await textOf(path)).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('lets one of several writers create a file', async () => {
    const path = join(folder, 'file');
    const writes = ['a', 'b', 'c'].map((text) =>
      writeFileAtomic(path, utf8(text), { mode: 0o600, existing: 'keep' }),
    );
    const results = await Promise.allSettled(writes);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['file']);
    expect(await textOf(path)).toBe('abc'[results.findIndex((r) => r.status === 'fulfilled')]);
  });

  posix('replaces a symbolic link and leaves its target alone', async () => {
    const target = join(folder, 'target');
    const path = join(folder, 'link');
    await writeFile(target, 'old');
    await symlink(target, path);
    await writeFileAtomic(path, utf8('new'), SECRET);
    expect([await textOf(path), await textOf(target)]).toEqual(['new', 'old']);
  });

  it('names a missing folder, and a folder where a file should be', async () => {
    const lost = join(folder, 'none', 'file');
    await expect(writeFileAtomic(lost, utf8(''), SECRET)).rejects.toMatchObject({
      fault: 'no such folder',
      message: `${lost}: no such folder`,
    });
    await expect(writeFileAtomic(folder, utf8(''), SECRET)).rejects.toThrow(
      `${folder}: is a folder`,
    );
  });
});

describe('makeFolder', () => {
  posix('makes a folder and those above it, and leaves the ones that are there', async () => {
    const deep = join(folder, 'a', 'b');
    await makeFolder(deep, 0o700);
    expect([await modeOf(deep), await modeOf(join(folder, 'a'))]).toEqual([0o700, 0o700]);
    await makeFolder(deep, 0o755);
    expect(await modeOf(deep)).toBe(0o700);
  });

  it('says that a file is in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'x');
    await expect(makeFolder(path, 0o700)).rejects.toMatchObject({ fault: 'no such folder' });
  });

  it.skipIf(process.platform !== 'linux')('ends where no folder can be made', async () => {
    await expect(makeFolder('/proc/voidphone/x', 0o700)).rejects.toMatchObject({
      fault: 'no such folder',
    });
  });
});
