export { GossipApi, type GossipApiOptions } from './api-driver.ts';
export {
  type GossipClient,
  GossipNode,
  type GossipNodeOptions,
  type GossipNodeStatus,
  type GossipNotification,
} from './driver.ts';
export { draftItem, encodeItem, itemPowTask } from './item.ts';
export { decodeState, encodeState, type SavedState, STATE_BYTES_MAX } from './state.ts';
