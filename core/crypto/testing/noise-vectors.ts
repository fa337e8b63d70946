// The vectors of the cacophony project (vectors/cacophony.txt) for the patterns we share with it. All of them have the
// same keys, prologue and payloads; the first messages are the handshake, the rest is sealed with the keys of split().

import type { NoisePattern } from '../noise-patterns.ts';

export const PROLOGUE = '4a6f686e2047616c74';
export const PSK = '54686973206973206d7920417573747269616e20706572737065637469766521';

/** Secret keys. */
export const STATIC = {
  initiator: 'e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1',
  responder: '4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893',
};
export const EPHEMERAL = {
  initiator: '893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a',
  responder: 'bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b',
};

/** From the initiator and the responder in turn. */
export const PAYLOADS = [
  '4c756477696720766f6e204d69736573',
  '4d757272617920526f746862617264',
  '462e20412e20486179656b',
  '4361726c204d656e676572',
  '4a65616e2d426170746973746520536179',
  '457567656e2042f6686d20766f6e2042617765726b',
];

export interface NoiseVector {
  readonly pattern: NoisePattern;
  readonly handshakeHash: string;
  /** One for each payload. */
  readonly messages: readonly string[];
}

export const NOISE_VECTORS: readonly NoiseVector[] = [
  {
    pattern: 'XX',
    handshakeHash: 'c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e',
    messages: [
      'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e' +
        '204d69736573',
      '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c4837' +
        '8ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f898' +
        '2ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c9326ad',
      'c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a' +
        '89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030',
      '96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df',
      '3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5',
      'eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f',
    ],
  },
  {
    pattern: 'NX',
    handshakeHash: '6959d38aed4b70824a50c722b47c07e00e88eb3eb14f351c11cbee4f56dac33b',
    messages: [
      'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e' +
        '204d69736573',
      '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088430da8899553a0e2d18bb3' +
        'bcdf632634e25dd60e400ecc50c371de2cd83257c7636c5913e463b6bd3f3efe3eb1c9e92f10dde5d45c' +
        '312e42ff98cfadd9f9e92b01ec7604e5d2150eef5db0aed53ab203',
      'deefd230bea16077f1ceecaad5e4284c3bf2c564e20f694a61b9d4',
      '6bfa60de93cf432f460dcc86cf66716c22ffb502125832433808c0',
      '9c9608d8fc3ef689ae393775e8bb60c16f28ab12ff5c94015961e54addb3d64983',
      '2490983755cc8a904f08a5876acb67db6821de003421b2f72f9f2389b21105ed4d43c4c799',
    ],
  },
  {
    pattern: 'NK',
    handshakeHash: '2efa38a9c7c93ac98f3a097af25c2f58b9e7673787717bc27e98827118c2c1a5',
    messages: [
      'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79448134d00711fdb390a0d1' +
        '78fa008f6d47d2891e5ea18ae136c3b4c23ac384efb0',
      '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088438ea16e3701bc0d77744f' +
        '117bee22451c9afa7f4cdbbcff00c04a8ee0913c88',
      'a62de29ce27cb80245d440d986ed816c156e9d757d7008df2198b0',
      '174a35f11c689f4530d7208618e0564ae12f2f50ba8eb4df5382ff',
      '337e475ebb8eae60f91974c4e455a5af38d1d8628d1803b160d60442874b0a1777',
      '047e80e060b7bb08b53c5a23dfe9920cae135b9d1dc6302fc475003062723700366346ac9d',
    ],
  },
  {
    pattern: 'KKpsk0',
    handshakeHash: '32afcdbb63cf90f25409090bc11f7546c534dfb03f37c1626a0cf758881e746f',
    messages: [
      'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794423f19812300a6051f021' +
        '95db0722909fc920796814cfc886ab3a8083c66a5961',
      '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884320acfe866b4ede922f00' +
        '7d89dbf507216d6aa8646c7fba098da374b1784d4b',
      'd213fdd768eeef05ee236c6d2983b2029bb472567a5831f4ff592c',
      'facf98016edcfc2566b16866935329b4da833dcd3bbb4173cf638e',
      'f46e7b19ebc94d697afc64b7f7d78d9b89276a6fbd438985d68c5d0261f4d4b774',
      '84119bc1a1a5f97a338c7affb30242cf3111e95c41a07d5e289b160015156a93cb70e8e73d',
    ],
  },
];
