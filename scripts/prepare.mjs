// Brings a plain clone to where it can run: Debian packages, npm packages, the build. Runs on the system's Node (20 or
// later) before anything is installed, so it uses nothing but Node itself. Every step is skipped when its inputs
// have not changed. Talks on stderr, so that a program's own output stays clean.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const MODULES = join(ROOT, 'node_modules');
const CACHE = join(ROOT, '.cache');

/** naudiodon is compiled at installation and needs ALSA's library at run time. */
const DEBIAN_PACKAGES = ['g++', 'make', 'python3', 'libasound2'];
const PROGRESS_EVERY_MS = 2_000;

/** A failure the person at the keyboard can do something about: printed as it is, without a stack. */
export class SetupError extends Error {}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a launcher's main function; a SetupError becomes its sentence and exit code 1. */
export async function launch(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`\n${error.message}`);
    process.exitCode = 1;
  }
}

/** Runs a program to its end, passing on what it prints and the signals we get; answers its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: environment(),
      ...options,
    });
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM']) process.off(name, pass);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Runs a program quietly, telling how long it has taken; what it printed is shown only when it fails. */
async function quietly(label, command, args, { advice, env = environment() }) {
  say(`${label} …`);
  const started = Date.now();
  const beat = setInterval(
    () => say(`  … ${Math.round((Date.now() - started) / 1000)} s`),
    PROGRESS_EVERY_MS,
  );
  const output = [];
  try {
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    const code = await new Promise((resolve) => {
      child.on('error', (error) => {
        output.push(Buffer.from(error.message));
        resolve(1);
      });
      child.on('close', resolve);
    });
    if (code !== 0) throw new SetupError(`${Buffer.concat(output)}\n${label} failed. ${advice}`);
  } finally {
    clearInterval(beat);
  }
}

/** Programs of node_modules first, Node 24 among them. */
export function environment() {
  return { ...process.env, PATH: `${join(MODULES, '.bin')}${delimiter}${process.env.PATH ?? ''}` };
}

export function node24() {
  const windows = process.platform === 'win32';
  return join(MODULES, 'node', 'bin', windows ? 'node.exe' : 'node');
}

export async function prepare() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node 20 or later and try again.`,
    );
  }
  await debianPackages();
  await npmPackages();
}

async function debianPackages() {
  if (!existsSync('/usr/bin/dpkg-query')) return;
  const missing = DEBIAN_PACKAGES.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `Missing Debian packages: ${missing.join(', ')}. Install them and try again:\n  sudo ${command}`,
    );
  }
  const advice = 'Check the network connection and the package sources, then try again.';
  await quietly('Updating the list of Debian packages', 'apt-get', ['update'], { advice });
  await quietly(
    `Installing Debian packages: ${missing.join(', ')}`,
    'env',
    ['DEBIAN_FRONTEND=noninteractive', ...command.split(' ')],
    { advice },
  );
}

function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
  return query.stdout?.includes('\nStatus: install ok installed\n') ?? false;
}

async function npmPackages() {
  const stamp = join(MODULES, '.prepared');
  const wanted = digest(
    ['package.json', 'package-lock.json'].map((name) => readFileSync(join(ROOT, name))),
  );
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(node24())) return;
  await quietly(
    'Installing npm packages (about half a minute)',
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      advice: 'Check the network connection and that npm can write here, then try again.',
      env: withHeaders(),
    },
  );
  if (!existsSync(node24())) {
    throw new SetupError(
      'The npm package "node" brought no Node 24 binary. Allow its install script (npm config ignore-scripts) and try again.',
    );
  }
  if (!existsSync(join(MODULES, 'naudiodon'))) {
    say(
      'The sound add-on (naudiodon) could not be built here: calls will have no sound until it can.',
    );
  }
  writeFileSync(stamp, wanted);
}

/**
 * naudiodon is compiled against Node headers that are installed, instead of downloaded ones: it is
 * Node-API, so any will do.
 */
function withHeaders() {
  const prefixes = [join(dirname(process.execPath), '..'), '/usr', '/usr/local'];
  const prefix = prefixes.find((path) => existsSync(join(path, 'include', 'node', 'node_api.h')));
  return prefix === undefined ? environment() : { ...environment(), npm_config_nodedir: prefix };
}

/** Compiles core/ into dist/. The compiler keeps its own record of what has changed; we skip even starting it. */
export async function build() {
  const stamp = join(CACHE, 'built');
  const sources = filesBelow(join(ROOT, 'core'));
  const wanted = digest(
    sources.map((path) => `${path} ${statSync(path).mtimeMs} ${statSync(path).size}`),
  );
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(ROOT, 'dist')))
    return;
  if (!existsSync(join(ROOT, 'dist'))) rmSync(join(CACHE, 'build.tsbuildinfo'), { force: true });
  await quietly('Building', 'tsc', ['-p', 'scripts/tsconfig.build.json'], {
    advice: 'The messages above say where.',
  });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(stamp, wanted);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function digest(parts) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}
