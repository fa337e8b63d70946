// The audio devices that naudiodon finds. It is asked in a process of its own: PortAudio writes to standard error, and
// a crash in it must not take the program along.

import { execFile } from 'node:child_process';

export interface AudioDevice {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

export interface AudioReport {
  readonly devices: readonly AudioDevice[];
  /** Why there is none. */
  readonly why: string;
}

/** A guess: enumerating takes about a second with many ALSA plug-ins. */
const ASK_MS = 10_000;

const ASK = `
  import { createRequire } from 'node:module';
  const { getDevices } = createRequire(process.argv[1])('naudiodon');
  const devices = getDevices().map(({ name, maxInputChannels, maxOutputChannels }) =>
    ({ name, inputs: maxInputChannels, outputs: maxOutputChannels }));
  process.stdout.write(JSON.stringify(devices));
`;

export function audioDevices(): Promise<AudioReport> {
  const args = ['--input-type=module', '--eval', ASK, import.meta.filename];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: ASK_MS }, (error, stdout) => {
      if (error !== null) {
        resolve({ devices: [], why: 'the sound add-on (naudiodon) does not load here' });
        return;
      }
      const devices: AudioDevice[] = JSON.parse(stdout);
      resolve({ devices, why: devices.length === 0 ? 'no audio device found' : '' });
    });
  });
}
