// `voidphone` as people run it, for tests: a process with its lines.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Feed } from '../../onion/testing/feed.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli.ts');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class CliProcess {
  /** What it has printed, on either stream. */
  readonly lines = new Feed<string>();
  readonly exit: Promise<Exit>;
  readonly #name: string;
  readonly #child: ChildProcess;

  constructor(name: string, args: readonly string[]) {
    this.#name = name;
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exit = promise;
    child.once('close', (code, signal) => resolve({ code, signal }));
    for (const stream of [child.stdout, child.stderr]) this.#read(stream);
  }

  /** The first line, already there or to come, with this in it. Rejects when the process ends without it. */
  async line(text: string): Promise<string> {
    const what = `${this.#name} says "${text}"`;
    const said = this.lines.until((line) => line.includes(text), what);
    const at = await Promise.race([said, this.exit.then(() => this.#lastWords(what))]);
    return this.lines.entries[at] ?? '';
  }

  #lastWords(what: string): never {
    throw new Error(`never: ${what}, but: ${this.lines.entries.slice(-5).join(' | ')}`);
  }

  /** Resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit;
  }

  #read(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.add(line);
    });
  }
}
