// Every option of the configuration file, in the one table that parsing, types and docs/configuration.md are made
// from: the standard options of voidphone-api.md ("Configuration") and ours. A default is written as it would stand
// in the file; an option without one is undefined until somebody sets it.

import {
  flag,
  host,
  hostPort,
  integer,
  type Kind,
  list,
  name,
  oneOf,
  path,
  socks5,
} from './kinds.ts';

export interface Option {
  readonly kind: Kind<unknown>;
  readonly default?: string;
  readonly explanation: string;
  /** The modules that read it, for the reference. */
  readonly readBy: string;
  /** A global option that may stand in this section too. */
  readonly alsoIn?: string;
}

/** A guess: the bootstrap rules of protocol 4 want two or more of different netgroups, not hundreds. */
const BOOTSTRAPPERS_MAX = 64;
/** A guess: a tunnel's keys and replay tables live as long as its round. */
const ROUND_MAX_S = 3600;
/** Protocol 3.3: a path's budget is at most 12, and the endpoint and one leg behind it need one each. */
const HOPS_MAX = 10;
/** Protocol 3.4: no more than 6 different guards in 30 days. */
const GUARDS_MAX = 6;
/** A guess at what one machine can carry, at 464 kbit/s in each direction per circuit (protocol 0, D1). */
const RELAY_CIRCUITS_MAX = 4096;
/** A guess; the cache is limited in bytes too (protocol 4). */
const CACHE_ITEMS_MAX = 1_000_000;
/** A guess: several times D_hi of protocol 4. */
const DEGREE_MAX = 50;
/** A guess: each connection may queue 32 validations (protocol 11). */
const CONNECTIONS_MAX = 1000;
/** A guess: older rounds speak of another network. */
const NSE_HISTORY_MAX = 1000;
/** K of protocol 7: no more nodes are found. */
const DHT_COPIES_MAX = 20;
/** S/Kademlia suggests 4 to 8; twice that asks most of the nodes around a key. */
const DHT_PATHS_MAX = 16;
/** A guess: a day. */
const NSE_PERIOD_MAX_S = 86_400;

function apiAddress(readBy: string) {
  return { kind: hostPort, explanation: "Where the module's API is.", readBy };
}

function p2pAddress(readBy: string) {
  return { kind: hostPort, explanation: 'Where to listen for other nodes.', readBy };
}

export const OPTIONS = {
  global: {
    hostkey: {
      kind: path,
      explanation: 'The RSA-4096 private key of this node, as PEM.',
      readBy: 'every module',
    },
    network: {
      kind: name,
      default: 'voidphone',
      explanation:
        'The network to take part in. Nodes with different names, or with different round lengths, cannot talk.',
      readBy: 'every module',
    },
    allow_private: {
      kind: flag,
      default: 'no',
      explanation:
        'Accept loopback and private addresses of other nodes, and ask them for hardly any proof of work. For test networks only: strangers can then make this node send into your own network.',
      readBy: 'every module',
    },
    profile: {
      kind: oneOf('spec', 'hardened'),
      alsoIn: 'onion',
      explanation:
        "Whether to keep to the specification's letter (`spec`) or to prefer anonymity where the two differ (`hardened`). Without this option: `spec` for a single module, `hardened` for a whole node.",
      readBy: 'every module',
    },
  },
  link: {
    proxy: {
      kind: socks5,
      explanation:
        'Reach other nodes through this SOCKS5 proxy, over TCP. Names are then resolved by the proxy, never here.',
      readBy: 'every module that talks to other nodes',
    },
  },
  gossip: {
    cache_size: {
      kind: integer(1, CACHE_ITEMS_MAX, 'items'),
      default: '1000',
      explanation: 'How many items to keep; the oldest goes first.',
      readBy: 'gossip',
    },
    degree: {
      kind: integer(1, DEGREE_MAX),
      default: '6',
      explanation: 'With how many neighbours to exchange items at once.',
      readBy: 'gossip',
    },
    max_connections: {
      kind: integer(1, CONNECTIONS_MAX),
      default: '30',
      explanation:
        'How many connections of others to accept. Of its own the node makes as many, but at most 8.',
      readBy: 'gossip',
    },
    bootstrapper: {
      kind: list(hostPort, BOOTSTRAPPERS_MAX),
      default: '',
      explanation:
        'Nodes to begin with: the p2p_address of their [gossip]. Two or more, run by different people, are harder to deceive.',
      readBy: 'gossip',
    },
    p2p_address: p2pAddress('gossip, rps (to tell others)'),
    api_address: apiAddress('gossip (to serve it), nse and rps (to use it)'),
  },
  nse: {
    history: {
      kind: integer(2, NSE_HISTORY_MAX, 'rounds'),
      default: '64',
      explanation: 'From how many rounds the size of the network is estimated.',
      readBy: 'nse',
    },
    period: {
      kind: integer(1, NSE_PERIOD_MAX_S, 'seconds'),
      default: '300',
      explanation: 'How often to estimate. The same on all nodes of a network.',
      readBy: 'nse',
    },
    api_address: apiAddress('nse (to serve it), rps (to use it)'),
  },
  rps: {
    p2p_address: p2pAddress('rps'),
    api_address: apiAddress('rps (to serve it), onion and dht (to use it)'),
  },
  dht: {
    p2p_address: p2pAddress('dht, rps (to tell others)'),
    api_address: apiAddress('dht'),
    replication: {
      kind: integer(1, DHT_COPIES_MAX, 'nodes'),
      default: '8',
      explanation: 'On how many nodes to store what a client puts without saying it.',
      readBy: 'dht',
    },
    paths: {
      kind: integer(1, DHT_PATHS_MAX),
      default: '4',
      explanation:
        'Over how many paths that share no node to look things up. With more of them hostile nodes can hide less, and each lookup asks more nodes.',
      readBy: 'dht',
    },
  },
  onion: {
    p2p_hostname: {
      kind: host,
      explanation: 'On which address to listen for other nodes.',
      readBy: 'onion, rps (to tell others)',
    },
    p2p_port: {
      kind: integer(1, 65_535),
      explanation: 'On which port to listen for other nodes, UDP and TCP.',
      readBy: 'onion, rps (to tell others)',
    },
    api_address: apiAddress('onion'),
    hops: {
      kind: integer(2, HOPS_MAX),
      default: '2',
      explanation:
        'Relays between this node and the end of a tunnel. More of them add delay to every word and little protection.',
      readBy: 'onion',
    },
    round: {
      kind: integer(5, ROUND_MAX_S, 'seconds'),
      default: '300',
      explanation: 'How long a tunnel lives. The same on all nodes of a network.',
      readBy: 'every module',
    },
    guards: {
      kind: integer(0, GUARDS_MAX),
      explanation:
        'From how many long-lived relays the first hop is taken; 0 draws it afresh each round. Without this option: 0 in profile `spec`, 2 in `hardened`.',
      readBy: 'onion',
    },
    max_circuits: {
      kind: integer(1, RELAY_CIRCUITS_MAX),
      default: '32',
      explanation:
        'How many tunnels of others to relay at most. A dedicated relay can carry hundreds.',
      readBy: 'onion',
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Option>>>>;

export type SectionName = keyof typeof OPTIONS;

type ValueOf<O> = O extends { readonly kind: Kind<infer T> }
  ? O extends { readonly default: string }
    ? T
    : T | undefined
  : never;

/** What a configuration file comes to: a value, or undefined, for every option of the table. */
export type Config = {
  readonly [S in SectionName]: {
    readonly [N in keyof (typeof OPTIONS)[S]]: ValueOf<(typeof OPTIONS)[S][N]>;
  };
};
