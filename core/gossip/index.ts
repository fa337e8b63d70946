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
export { GOSSIP_STATE, type SavedState } from './state.ts';
