// voidphone version

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseProvider } from '../crypto/index.ts';
import { type Command, EXIT_OK, printJson } from './command.ts';

export const version: Command = {
  name: 'version',
  operands: '',
  summary: 'Print the versions of VoidPhone and of what it runs on.',
  details: '  --json  as JSON',
  options: { json: { type: 'boolean' } },
  operandsMax: 0,
  async run(_operands, options, io) {
    const facts = {
      voidphone: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      crypto: chooseProvider().name,
    };
    if (options['json'] === true) printJson(io, facts);
    else for (const [name, value] of Object.entries(facts)) io.out(`${name} ${value}`);
    return EXIT_OK;
  },
};

/** package.json stands above core/ in the sources and one level higher beside dist/. */
function packageVersion(): string {
  for (const up of ['../..', '../../..']) {
    const file = join(import.meta.dirname, up, 'package.json');
    const parsed = parsePackage(file);
    if (parsed !== undefined) return parsed;
  }
  throw new Error('package.json is missing beside the program');
}

function parsePackage(file: string): string | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isOurs = typeof content === 'object' && content !== null && 'version' in content;
    return isOurs ? String(content.version) : undefined;
  } catch {
    return undefined;
  }
}
