import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { chooseProvider } from '../crypto/index.ts';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { CookieSecrets, cookieKey, sealCookie } from './cookies.ts';
import { Framing } from './framing.ts';
import type { SendNoise } from './handshake.ts';
import { NETWORK_ID } from './testing/nodes.ts';
import { NOISE_BYTES, type NoiseStep } from './wire.ts';

const provider = chooseProvider();
const IDENTITY = new Uint8Array(32).fill(2);
const FROM = { ip: '192.0.2.1', port: 4000 };
const rng = new SeededRng(1);

function framing(index: number, identity = IDENTITY): Framing {
  return new Framing({ provider, networkId: NETWORK_ID, identity, index });
}

function sending(step: NoiseStep, peerIndex = 0): SendNoise {
  return { type: 'send', step, noise: randomBytes(rng, NOISE_BYTES[step]), peerIndex };
}

describe('the packets of a handshake', () => {
  it('carry its messages and indices', () => {
    const [a, b] = [framing(11), framing(22)];
    const init = sending('init');
    const got = b.decode(a.encode(init));
    expect(got).toEqual({ type: 'noise', step: 'init', noise: init.noise, senderIndex: 11 });
    const resp = sending('resp', 11);
    expect(a.decode(b.encode(resp))).toMatchObject({
      step: 'resp',
      noise: resp.noise,
      senderIndex: 22,
    });
    const fin = sending('fin', 22);
    expect(b.decode(a.encode(fin))).toMatchObject({
      step: 'fin',
      noise: fin.noise,
      senderIndex: 0,
    });
  });

  it('are refused for another index, identity or INIT', () => {
    const [a, b] = [framing(11), framing(22)];
    const message = sending('init');
    b.decode(a.encode(message));
    const resp = b.encode(sending('resp', 11));
    const other = framing(11);
    expect(() => other.decode(resp)).toThrow(DecodeError);
    other.encode(sending('init'));
    expect(() => other.decode(resp)).toThrow('mac1');
    expect(() => framing(12).decode(resp)).toThrow('another handshake');
    const init = a.encode(message);
    expect(() => framing(22, new Uint8Array(32)).decode(init)).toThrow('mac1');
    expect(() => b.decode(a.encode(sending('fin', 23)))).toThrow('another handshake');
    a.decode(resp);
  });

  it.each(['initiator', 'responder'])(
    'stay one handshake’s when the %s gets another INIT',
    (who) => {
      const [a, b] = [framing(11), framing(22)];
      b.decode(a.encode(sending('init')));
      (who === 'initiator' ? a : b).decode(framing(33).encode(sending('init')));
      expect(a.decode(b.encode(sending('resp', 11)))).toMatchObject({ step: 'resp' });
    },
  );

  it('have the cookie in the INIT after the COOKIE, and in no other', () => {
    const a = framing(11);
    const secrets = new CookieSecrets(rng, 0);
    const message = sending('init');
    const init = a.encode(message);
    const cookie = secrets.cookieFor(FROM, 0);
    const key = cookieKey(NETWORK_ID, IDENTITY);
    const reply = sealCookie({ cookie, init, index: 11 }, key, { provider, rng });
    expect(a.decode(reply)).toBeUndefined();
    expect(secrets.admits(init, FROM, 0)).toBe(false);
    expect(secrets.admits(a.encode(message), FROM, 0)).toBe(true);
    expect(framing(22).decode(a.encode(message))).toMatchObject({ noise: message.noise });
    const fin = a.encode(sending('fin', 22));
    expect(framing(22).decode(fin)).toMatchObject({ step: 'fin' });
  });

  it('take no COOKIE that was not for their INIT', () => {
    const a = framing(11);
    const key = cookieKey(NETWORK_ID, IDENTITY);
    const foreign = framing(11).encode(sending('init'));
    const reply = { cookie: new Uint8Array(16), init: foreign, index: 11 };
    const packet = sealCookie(reply, key, { provider, rng });
    expect(() => a.decode(packet)).toThrow('before any INIT');
    a.encode(sending('init'));
    expect(() => a.decode(packet)).toThrow('forged');
  });
});
