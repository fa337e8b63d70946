export { GossipApi, type GossipApiOptions } from './api-driver.ts';
export {
  type GossipClient,
  GossipNode,
  type GossipNodeOptions,
  type GossipNodeStatus,
  type GossipNotification,
} from './driver.ts';
export { draftItem, encodeItem, itemPowTask } from './item.ts';
export { LocalFlood } from './local-flood.ts';
export { decodeState, encodeState, type SavedState, STATE_BYTES_MAX } from './state.ts';
export { openStateFile, type StateFile } from './state-file.ts';
