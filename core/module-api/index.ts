export { type ApiClientOptions, connectApi } from './client.ts';
export { MESSAGE_BYTES_MAX } from './codec.ts';
export type { ApiHandler, Connection } from './connection.ts';
export { DHT_API, DHT_KEY_BYTES, DHT_VALUE_BYTES_MAX } from './dht.ts';
export { ENROLL_API, ENROLL_PROJECTS } from './enroll.ts';
export { enrollPowHolds, type NonceRange, solveEnrollPow } from './enroll-pow.ts';
export type { Flood, FloodItem, FloodListener, Opinion } from './flood.ts';
export { Framing } from './framing.ts';
export { GOSSIP_API, GOSSIP_DATA_BYTES_MAX } from './gossip.ts';
export { GossipFlood, type GossipFloodOptions } from './gossip-driver.ts';
export {
  encodeMessage,
  type Message,
  type MessageOf,
  type MessageType,
  type ModuleApi,
  type SentBy,
  type TakenBy,
  typeNumber,
} from './message.ts';
export { NSE_API } from './nse.ts';
export { ONION_API, TUNNEL_DATA_BYTES_MAX } from './onion.ts';
export { HOSTKEY_BYTES_MAX } from './peer-fields.ts';
export { PersistentClient, type PersistentClientOptions } from './persistent-client.ts';
export { PORTMAP_APPS, type PortmapEntry, RPS_API } from './rps.ts';
export { ApiServer, type ApiServerOptions } from './server.ts';
