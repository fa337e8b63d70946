export type { ModulesStatus } from './modules.ts';
export { type NodeOptions, startNode, type VoidNode } from './node.ts';
export { PlaceError } from './places.ts';
export {
  advertised,
  gossipSettings,
  guardCount,
  networkIdOf,
  onionSettings,
} from './settings.ts';
