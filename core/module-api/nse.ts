// The NSE API, 520-521 (voidphone-api.md, "NSE"). After the header:
//
//   520 NSE QUERY     nothing
//   521 NSE ESTIMATE  estimated peers u32 | estimated standard deviation u32

import { type Codec, exactly } from './codec.ts';

export const NSE_API = { takes: ['nse query'], sends: ['nse estimate'] } as const;

export interface NseQuery {
  readonly type: 'nse query';
}

export const nseQuery: Codec<NseQuery> = {
  number: 520,
  size: exactly(0),
  write: () => {},
  read: () => ({ type: 'nse query' }),
};

export interface NseEstimate {
  readonly type: 'nse estimate';
  readonly peers: number;
  /** Of the estimate against earlier ones. */
  readonly deviation: number;
}

const ESTIMATE_BYTES = 8;

export const nseEstimate: Codec<NseEstimate> = {
  number: 521,
  size: exactly(ESTIMATE_BYTES),
  write: (writer, { peers, deviation }) => writer.u32(peers).u32(deviation),
  read: (reader) => ({ type: 'nse estimate', peers: reader.u32(), deviation: reader.u32() }),
};
