// A process running writer.ts, line by line.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

export class Writer {
  readonly folder: string;
  /** When the process is gone and its last line was read. */
  readonly end: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #reading: Interface;

  /** `cache` is a folder for compiled code: with it starting takes a third of the work. */
  constructor(folder: string, cache: string) {
    this.folder = folder;
    const script = join(import.meta.dirname, 'writer.ts');
    this.#child = spawn(process.execPath, [script, folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    if (this.#child.stdout === null) throw new Error('the process has no output');
    const reading = createInterface(this.#child.stdout);
    reading.on('line', (line) => this.#lines.push(line));
    this.end = Promise.all([once(this.#child, 'close'), once(reading, 'close')]);
    this.#reading = reading;
  }

  /** Separate from starting, which takes long. */
  begin(): this {
    this.#child.stdin?.end('b');
    return this;
  }

  /** When there are that many lines, or there will be no more. */
  async writtenLines(count: number): Promise<readonly string[]> {
    const gone = this.end.then(() => 'gone');
    while (this.#lines.length < count) {
      if ((await Promise.race([once(this.#reading, 'line'), gone])) === 'gone') break;
    }
    return this.#lines;
  }

  /** Every line it has written until it was gone. */
  async kill(): Promise<readonly string[]> {
    if (this.#child.exitCode !== null) throw new Error('the process had ended by itself');
    this.#child.kill('SIGKILL');
    await this.end;
    return this.#lines;
  }
}
