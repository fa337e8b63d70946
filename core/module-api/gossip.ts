// The Gossip API, 500-503 (voidphone-api.md, "Gossip"). After the header:
//
//   500 GOSSIP ANNOUNCE      TTL u8 | reserved u8 | data type u16 | data
//   501 GOSSIP NOTIFY        reserved u16 | data type u16
//   502 GOSSIP NOTIFICATION  message ID u16 | data type u16 | data
//   503 GOSSIP VALIDATION    message ID u16 | reserved 15 bits | V 1 bit
//
// What data means is the business of the modules that announce it.

import { BODY_BYTES_MAX, type Codec, exactly } from './codec.ts';

export const GOSSIP_API = {
  takes: ['gossip announce', 'gossip notify', 'gossip validation'],
  sends: ['gossip notification'],
} as const;

const WORD_BYTES = 4;
const WELL_FORMED = 1;

/** The longest data that fits a message. */
export const GOSSIP_DATA_BYTES_MAX = BODY_BYTES_MAX - WORD_BYTES;

export interface GossipAnnounce {
  readonly type: 'gossip announce';
  /** Hops; 0 is without limit. */
  readonly ttl: number;
  readonly dataType: number;
  readonly data: Uint8Array;
}

export const gossipAnnounce: Codec<GossipAnnounce> = {
  number: 500,
  size: {
    min: WORD_BYTES,
    max: BODY_BYTES_MAX,
    of: ({ data }) => WORD_BYTES + data.length,
  },
  write: (writer, { ttl, dataType, data }) => writer.u8(ttl).zeros(1).u16(dataType).bytes(data),
  read: (reader) => {
    const ttl = reader.u8();
    reader.view(1);
    const dataType = reader.u16();
    return { type: 'gossip announce', ttl, dataType, data: reader.bytes(reader.remaining) };
  },
};

/** Asks for everything of a data type, and vouches that the type means something here. */
export interface GossipNotify {
  readonly type: 'gossip notify';
  readonly dataType: number;
}

export const gossipNotify: Codec<GossipNotify> = {
  number: 501,
  size: exactly(WORD_BYTES),
  write: (writer, { dataType }) => writer.zeros(2).u16(dataType),
  read: (reader) => {
    reader.view(2);
    return { type: 'gossip notify', dataType: reader.u16() };
  },
};

export interface GossipNotification {
  readonly type: 'gossip notification';
  readonly messageId: number;
  readonly dataType: number;
  readonly data: Uint8Array;
}

export const gossipNotification: Codec<GossipNotification> = {
  number: 502,
  size: {
    min: WORD_BYTES,
    max: BODY_BYTES_MAX,
    of: ({ data }) => WORD_BYTES + data.length,
  },
  write: (writer, { messageId, dataType, data }) => writer.u16(messageId).u16(dataType).bytes(data),
  read: (reader) => ({
    type: 'gossip notification',
    messageId: reader.u16(),
    dataType: reader.u16(),
    data: reader.bytes(reader.remaining),
  }),
};

export interface GossipValidation {
  readonly type: 'gossip validation';
  readonly messageId: number;
  /** Whether to pass the item on. */
  readonly wellFormed: boolean;
}

export const gossipValidation: Codec<GossipValidation> = {
  number: 503,
  size: exactly(WORD_BYTES),
  write: (writer, { messageId, wellFormed }) =>
    writer.u16(messageId).u16(wellFormed ? WELL_FORMED : 0),
  read: (reader) => ({
    type: 'gossip validation',
    messageId: reader.u16(),
    wellFormed: (reader.u16() & WELL_FORMED) !== 0,
  }),
};
