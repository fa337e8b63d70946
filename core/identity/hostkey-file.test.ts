import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadHostkey, saveHostkey } from './hostkey-file.ts';
import { encodePublicKeyPem } from './public-key.ts';
import { TEST_HOSTKEY_PEMS, testHostkey } from './testing/keys.ts';

const alice = testHostkey('alice');
const posix = it.skipIf(process.platform === 'win32');

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-hostkey-'));
  path = join(folder, 'hostkey.pem');
});

afterEach(() => rm(folder, { recursive: true }));

describe('a hostkey file', () => {
  it('gives the key back that was saved', async () => {
    await saveHostkey(path, alice);
    const { hostkey, warning } = await loadHostkey(path);
    expect(hostkey.identity).toEqual(alice.identity);
    expect(warning).toBeUndefined();
  });

  posix('can be read by its owner only', async () => {
    await saveHostkey(path, alice);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is never overwritten', async () => {
    await saveHostkey(path, alice);
    await expect(saveHostkey(path, testHostkey('bob'))).rejects.toMatchObject({
      fault: 'exists already',
      message: `hostkey ${path}: it exists already, and a hostkey is never overwritten`,
    });
    expect((await loadHostkey(path)).hostkey.identity).toEqual(alice.identity);
  });

  posix('that others can read is used, with a warning', async () => {
    await writeFile(path, TEST_HOSTKEY_PEMS.alice);
    await chmod(path, 0o644);
    const { hostkey, warning } = await loadHostkey(path);
    expect(hostkey.identity).toEqual(alice.identity);
    expect(warning).toContain(`hostkey ${path}: other users of this computer can read`);
  });

  it.each([
    ['', 'it is empty'],
    ['nonsense', 'there is no PEM key in it'],
    [TEST_HOSTKEY_PEMS.alice.slice(0, 2000), 'the "-----END" of the key is missing'],
    [encodePublicKeyPem(alice.publicKey), 'it holds a public key only'],
  ])('that holds no hostkey is refused in a sentence with its name: %#', async (text, reason) => {
    await writeFile(path, text);
    await expect(loadHostkey(path)).rejects.toMatchObject({ fault: 'not a hostkey', path });
    await expect(loadHostkey(path)).rejects.toThrow(`hostkey ${path}: ${reason}`);
  });

  it('that is missing, a folder or far too large is refused in a sentence with its name', async () => {
    await expect(loadHostkey(path)).rejects.toThrow(
      `hostkey ${path}: there is no such file; "voidphone keygen" makes one`,
    );
    await mkdir(path);
    await expect(loadHostkey(path)).rejects.toThrow(`hostkey ${path}: is a folder`);
    const large = join(folder, 'large.pem');
    await writeFile(large, 'x'.repeat(100_000));
    await expect(loadHostkey(large)).rejects.toThrow(`${large}: it is too large to be a hostkey`);
  });
});
