// The DHT API, 650-653 (voidphone-api.md, "DHT"). After the header:
//
//   650 DHT PUT      TTL u16 | replication u8 | reserved u8 | key 32 | value
//   651 DHT GET      key 32
//   652 DHT SUCCESS  key 32 | value
//   653 DHT FAILURE  key 32
//
// An empty value is a violation. None can be put, so none can be found either.

import { BODY_BYTES_MAX, type Codec, exactly } from './codec.ts';

export const DHT_API = {
  takes: ['dht put', 'dht get'],
  sends: ['dht success', 'dht failure'],
} as const;

export const DHT_KEY_BYTES = 32;
/** TTL, replication, reserved and key. */
const PUT_FIXED_BYTES = 4 + DHT_KEY_BYTES;

/** The longest value that can be put. */
export const DHT_VALUE_BYTES_MAX = BODY_BYTES_MAX - PUT_FIXED_BYTES;

export interface DhtPut {
  readonly type: 'dht put';
  /** A hint, as is `replication`. */
  readonly ttlS: number;
  readonly replication: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export const dhtPut: Codec<DhtPut> = {
  number: 650,
  size: {
    min: PUT_FIXED_BYTES + 1,
    max: BODY_BYTES_MAX,
    of: ({ value }) => PUT_FIXED_BYTES + value.length,
  },
  write: (writer, { ttlS, replication, key, value }) =>
    writer.u16(ttlS).u8(replication).zeros(1).bytes(key).bytes(value),
  read: (reader) => {
    const ttlS = reader.u16();
    const replication = reader.u8();
    reader.view(1);
    const key = reader.bytes(DHT_KEY_BYTES);
    return { type: 'dht put', ttlS, replication, key, value: reader.bytes(reader.remaining) };
  },
};

export interface DhtGet {
  readonly type: 'dht get';
  readonly key: Uint8Array;
}

export const dhtGet: Codec<DhtGet> = {
  number: 651,
  size: exactly(DHT_KEY_BYTES),
  write: (writer, { key }) => writer.bytes(key),
  read: (reader) => ({ type: 'dht get', key: reader.bytes(DHT_KEY_BYTES) }),
};

export interface DhtSuccess {
  readonly type: 'dht success';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export const dhtSuccess: Codec<DhtSuccess> = {
  number: 652,
  size: {
    min: DHT_KEY_BYTES + 1,
    max: BODY_BYTES_MAX,
    of: ({ value }) => DHT_KEY_BYTES + value.length,
  },
  write: (writer, { key, value }) => writer.bytes(key).bytes(value),
  read: (reader) => ({
    type: 'dht success',
    key: reader.bytes(DHT_KEY_BYTES),
    value: reader.bytes(reader.remaining),
  }),
};

export interface DhtFailure {
  readonly type: 'dht failure';
  readonly key: Uint8Array;
}

export const dhtFailure: Codec<DhtFailure> = {
  number: 653,
  size: exactly(DHT_KEY_BYTES),
  write: (writer, { key }) => writer.bytes(key),
  read: (reader) => ({ type: 'dht failure', key: reader.bytes(DHT_KEY_BYTES) }),
};
