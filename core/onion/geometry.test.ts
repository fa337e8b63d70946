import { describe, expect, it } from 'vitest';
import { BODY_BYTES as LIONESS_BYTES } from '../crypto/index.ts';
import { DATAGRAM_BYTES } from '../link/index.ts';
import { TUNNEL_DATA_BYTES_MAX } from '../module-api/index.ts';
import * as geometry from './geometry.ts';
import { CREATE_BYTES, CREATED_BYTES } from './hop.ts';

describe('the sizes of a tunnel', () => {
  it('are those of protocol Appendix B', () => {
    expect({ ...geometry }).toEqual({
      BODY_BYTES: 512,
      CELL_HEADER_BYTES: 8,
      CELL_BYTES: 520,
      INNER_SEQ_BYTES: 8,
      INNER_PLAIN_BYTES: 488,
      INNER_HEADER_BYTES: 4,
      INNER_DATA_MAX: 484,
      FRAG_HEADER_BYTES: 4,
      FRAG_DATA_MAX: 480,
      TUNNEL_DATA_MAX: 65_527,
    });
    expect(DATAGRAM_BYTES).toBe(16 + geometry.CELL_BYTES + 16);
  });

  it('agree with those of the cipher, the API and the cells of a handshake', () => {
    expect(geometry.BODY_BYTES).toBe(LIONESS_BYTES);
    expect(geometry.TUNNEL_DATA_MAX).toBe(TUNNEL_DATA_BYTES_MAX);
    expect(Math.ceil(CREATE_BYTES / geometry.BODY_BYTES)).toBe(3);
    expect(Math.ceil(CREATED_BYTES / geometry.BODY_BYTES)).toBe(4);
  });
});
