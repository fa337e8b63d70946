// Starts what is measured in processes of its own: see plane-process.ts and node-process.ts.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunningPlane, StartPlane } from '../core/onion/plane-driver.ts';
import type { NodeUsage, ToNodeProcess } from './node-process.ts';
import type { FromPlaneProcess, PlaneKind, ToPlaneProcess, Usage } from './plane-process.ts';
import type { WholeNodeOptions } from './whole-node.ts';

export interface PlaneProcess extends RunningPlane {
  usage(): Promise<Usage>;
}

/** The process, once `startPlane` has been called; `startPlane` is what a BedNode takes. */
export function planeProcess(kind: PlaneKind): {
  readonly startPlane: StartPlane;
  readonly process: Promise<PlaneProcess>;
} {
  const started = Promise.withResolvers<PlaneProcess>();
  const startPlane: StartPlane = (settings, onEvent) => {
    const child = start('./plane-process.ts');
    const tell = (message: ToPlaneProcess): void => void child.send(message);
    let answer: (usage: Usage) => void = () => {};
    child.on('message', (message: FromPlaneProcess) => {
      if (message.type === 'event') onEvent(message.event);
      else answer(message.usage);
    });
    tell({ type: 'start', kind, settings });
    const running: PlaneProcess = {
      post: (command) => tell({ type: 'command', command }),
      usage: () =>
        new Promise((resolve) => {
          answer = resolve;
          tell({ type: 'usage' });
        }),
      stop: () => stop(child),
    };
    started.resolve(running);
    return running;
  };
  return { startPlane, process: started.promise };
}

export class NodeProcess {
  readonly #child = start('./node-process.ts');

  /** Resolves when it listens. */
  static async start(options: WholeNodeOptions): Promise<NodeProcess> {
    const node = new NodeProcess();
    await node.#ask({ type: 'start', options });
    return node;
  }

  usage(): Promise<NodeUsage> {
    return this.#ask({ type: 'usage' });
  }

  stop(): Promise<void> {
    return stop(this.#child);
  }

  #ask(message: ToNodeProcess): Promise<NodeUsage> {
    return new Promise((resolve) => {
      this.#child.once('message', resolve);
      this.#child.send(message);
    });
  }
}

/** One that ends by itself has failed, and says why. */
function start(module: string): ChildProcess {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), {
    serialization: 'advanced',
  });
  child.on('exit', (code) => {
    if (code !== 0) throw new Error('the measured process has failed');
  });
  return child;
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.disconnect();
  });
}
