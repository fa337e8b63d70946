import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiModule, GossipProcess } from '../gossip/testing/processes.ts';
import type { Address } from '../runtime/index.ts';
import { freeAddress } from '../runtime/testing/free-address.ts';
import { commands, runCommand } from './index.ts';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'] as const;
const TYPE = 1337;
const SOON = { timeout: 60_000, interval: 50 };
/** Until the line stands: proofs of work of eight identities, half a minute of one idle processor. */
const STARTED = { timeout: 380_000, interval: 5000 };

let folder = '';
let pings = 0;
const processes: GossipProcess[] = [];
let apis: Address[] = [];
/** One of each process, in the order of the line. */
let modules: ApiModule[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-gossip-'));
  const p2ps = await Promise.all(NAMES.map(freeAddress));
  apis = await Promise.all(NAMES.map(freeAddress));
  // Most begin before the one they know.
  for (const [i, name] of [...NAMES.entries()].reverse()) {
    const [p2p, api] = [p2ps[i], apis[i]];
    if (p2p === undefined || api === undefined) throw new Error('no address');
    const bootstrappers = p2ps.slice(Math.max(0, i - 1), i);
    processes[i] = await GossipProcess.start({ name, folder, p2p, api, bootstrappers });
  }
  modules = apis.map((api) => new ApiModule(api, TYPE));
  await vi.waitFor(() => hears(modules[7], 0), STARTED);
  // Whatever is still under way then comes before this.
  await toAll(0, 'ready');
  texts();
}, 400_000);

afterAll(async () => {
  await Promise.all(modules.map((module) => module.stop()));
  await Promise.all(processes.map((one) => one.stop('SIGKILL')));
  await rm(folder, { recursive: true });
});

function texts(): string[][] {
  return modules.map((module) => module.texts.splice(0));
}

/** Announces it at that place of the line, and waits until everybody else has it. */
async function toAll(place: number, text: string): Promise<void> {
  modules[place]?.announce(text, TYPE);
  const others = modules.filter((_, i) => i !== place);
  await vi.waitFor(() => expect(others.every((one) => one.texts.includes(text))).toBe(true), SOON);
}

describe('eight processes in a line, each of which knows one', () => {
  it('bring an announcement without limit from one end to the other', async () => {
    await toAll(0, 'hello');
    expect(texts()).toEqual([[], ...new Array(7).fill(['hello'])]);
  });

  it('stop an announcement of two hops after two hops', async () => {
    modules[3]?.announce('near', TYPE, 2);
    await toAll(3, 'far');
    const [both, far] = [['near', 'far'], ['far']];
    expect(texts()).toEqual([far, both, both, [], both, both, far, far]);
  });

  it('bring a type that nobody in between wants nowhere', async () => {
    const other = new ApiModule(apis[7] ?? fail(), TYPE + 1);
    modules[0]?.announce('unwanted', TYPE + 1);
    await toAll(0, 'wanted');
    expect(other.texts).toEqual([]);
    expect(texts().flat()).toEqual(new Array(7).fill('wanted'));
    await other.stop();
  });

  it('notify two clients of one node, both', async () => {
    const second = new ApiModule(apis[5] ?? fail(), TYPE);
    await vi.waitFor(() => hears(second, 4), SOON);
    await toAll(0, 'both');
    expect(second.texts).toContain('both');
    expect(texts()[5]).toContain('both');
    await second.stop();
  });

  it('stop what a module calls malformed, and part from who goes on sending it', async () => {
    const third = modules[2] ?? fail();
    third.judge = (text) => !text.startsWith('bad');
    texts();
    for (const text of ['bad 1', 'bad 2', 'bad 3']) modules[0]?.announce(text, TYPE);
    // The third is not asked about any more if the first two were answered before it came.
    await expect.poll(() => third.texts.length, SOON).toBeGreaterThanOrEqual(2);
    modules[0]?.announce('later', TYPE);
    await expect.poll(() => modules[1]?.texts.includes('later'), SOON).toBe(true);
    await toAllBehind(3, 'last');
    const isStopped = (text: string): boolean => text.startsWith('bad') || text === 'later';
    expect(modules.slice(3).flatMap((one) => one.texts.filter(isStopped))).toEqual([]);
    expect(third.texts).not.toContain('later');
  });

  it('end when they are asked to, and keep what they know', async () => {
    expect(await Promise.all(processes.map((one) => one.stop()))).toEqual(NAMES.map(() => 0));
    const files = await readdir(folder);
    for (const name of NAMES) {
      expect(files).toContain(`${name}.ini.gossip`);
      expect(files).toContain(`${name}.pem.proof`);
    }
  });
});

/** Announces something there until `module` hears anything. */
function hears(module: ApiModule | undefined, place: number): void {
  modules[place]?.announce(`ping ${pings++}`, TYPE);
  expect(module?.texts).not.toEqual([]);
}

async function toAllBehind(place: number, text: string): Promise<void> {
  modules[place]?.announce(text, TYPE);
  const others = modules.slice(place + 1);
  await vi.waitFor(() => expect(others.every((one) => one.texts.includes(text))).toBe(true), SOON);
}

function fail(): never {
  throw new Error('no such process');
}

describe('voidphone gossip', () => {
  async function voidphone(config: readonly string[]) {
    const file = join(folder, 'wrong.ini');
    await writeFile(file, config.join('\n'));
    const notes: string[] = [];
    const code = await runCommand(commands, ['gossip', '-c', file], {
      out: () => {},
      note: (text) => notes.push(text),
      env: {},
      untilStopped: async () => {},
    });
    return { code, notes: notes.join('\n') };
  }

  it('says all that is missing', async () => {
    const { code, notes } = await voidphone(['[gossip]', 'degree = 3']);
    expect(code).toBe(2);
    for (const name of ['hostkey', '[gossip] p2p_address', '[gossip] api_address']) {
      expect(notes).toContain(`wrong.ini: ${name} is missing`);
    }
  });
});
