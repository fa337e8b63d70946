export { ConfigError } from './error.ts';
export type { Config } from './options.ts';
export { type LoadedConfig, parseConfig, readConfig } from './parse.ts';
export { configurationReference } from './reference.ts';
