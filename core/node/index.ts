export type { Modules } from './modules.ts';
export { type NodeOptions, startNode, type VoidNode } from './node.ts';
export { PlaceError } from './places.ts';
export {
  PRACTICE_PEERS,
  type PracticeNetwork,
  type PracticeOptions,
  startPractice,
} from './practice.ts';
export { NOT_REACHED, type RpcPlace, type StartedRpc, startRpc, tellReach } from './rpc.ts';
export {
  advertised,
  gossipSettings,
  guardCount,
  networkIdOf,
  onionSettings,
  type Proofs,
  proofsOf,
} from './settings.ts';
