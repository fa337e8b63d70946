import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { randomUnit, SeededRng } from '../runtime/index.ts';
import { decodeFields, encodeFields, FIELDS_BYTES } from './frame.ts';
import {
  BURSTS,
  CALM,
  FRAME_MS,
  MediaReceiver,
  MediaSender,
  REPORT_MS,
  Reporting,
} from './media.ts';
import {
  type AudioFrame,
  decodeMedia,
  decodeReport,
  encodeMedia,
  encodeReport,
  type Report,
} from './media-wire.ts';

const REPORT: Report = {
  highest: 70_000,
  loss: 100,
  lossAfter: 1,
  jitterMs: 12,
  bufferMs: 60,
  timeMs: 123_456,
  echo: { timeMs: 99_999, ageMs: 250 },
};

const CALM_REPORT: Report = { ...REPORT, loss: 0, lossAfter: 0 };

function frame(frameNo: number): AudioFrame {
  return { frameNo, bytes: Uint8Array.of(frameNo & 0xff, frameNo >> 8) };
}

describe('fields of a frame', () => {
  it('come back, without what is unknown, and zeros behind', () => {
    const fields = [
      { name: 'control', data: Uint8Array.of(1, 2) },
      { name: 'media', data: new Uint8Array() },
    ] as const;
    const bytes = encodeFields(fields);
    expect(bytes.length).toBe(FIELDS_BYTES);
    expect([...bytes.subarray(0, 9)]).toEqual([1, 0, 2, 1, 2, 2, 0, 0, 0]);
    expect(decodeFields(bytes)).toEqual(fields);
    const unknown = Uint8Array.from([77, 0, 1, 5, 2, 0, 0, 0, 0]);
    expect(decodeFields(unknown)).toEqual([fields[1]]);
    expect(() => decodeFields(Uint8Array.from([1, 0, 0, 0, 1]))).toThrow(DecodeError);
    expect(() => decodeFields(Uint8Array.from([1, 0, 9, 0, 0]))).toThrow(DecodeError);
    survivesHostileBytes(decodeFields, [bytes]);
  });
});

describe('the fields of media', () => {
  const media = encodeMedia([frame(9), frame(8), frame(6), frame(3)]);
  const report = encodeReport(REPORT);

  it('come back as they were, in these bytes', () => {
    expect(decodeMedia(media)).toEqual([frame(9), frame(8), frame(6), frame(3)]);
    expect([...media.subarray(0, 10)]).toEqual([0, 0, 0, 9, 0, 4, 0, 2, 9, 0]);
    expect(decodeReport(report)).toEqual(REPORT);
    expect(decodeReport(encodeReport({ ...REPORT, echo: undefined })).echo).toBeUndefined();
  });

  it('are refused cut off, too long, or against the rules', () => {
    for (const [bytes, decode] of [
      [media, decodeMedia],
      [report, decodeReport],
    ] as const) {
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decode(bytes.subarray(0, length))).toThrow(DecodeError);
      }
      expect(() => decode(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
    }
    const wrong = [
      [0, 0, 0, 9, 1, 1, 0, 0],
      [0, 0, 0, 9, 0, 0],
      [0, 0, 0, 9, 0, 5, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0],
      [0, 0, 0, 9, 0, 2, 0, 0, 0, 0],
      [0, 0, 0, 9, 0, 1, 10, 0],
      [0, 0, 0, 99, 0, 1, 13, 0],
      [0, 0, 0, 9, 0, 1, 0, 101, ...new Array(101).fill(0)],
    ];
    for (const bytes of wrong)
      expect(() => decodeMedia(Uint8Array.from(bytes))).toThrow(DecodeError);
    survivesHostileBytes(decodeMedia, [media]);
    survivesHostileBytes(decodeReport, [report]);
  });
});

/** Sends `count` frames through `arrives`, and says what was heard and what is reported. */
function talk(count: number, arrives: (i: number) => boolean, distances = CALM) {
  const sender = new MediaSender();
  if (distances === BURSTS) sender.onReport({ ...REPORT, lossAfter: 50 });
  const receiver = new MediaReceiver();
  const heard: number[] = [];
  for (let i = 0; i < count; i++) {
    sender.push(Uint8Array.of(i & 0xff));
    const field = sender.field(400);
    if (field && arrives(i)) {
      heard.push(...receiver.receive(field.data, i * FRAME_MS).map(({ frameNo }) => frameNo));
    }
  }
  return { heard, report: receiver.report() };
}

describe('voice', () => {
  it('arrives once each, in order, when nothing is lost', () => {
    const { heard, report } = talk(200, () => true);
    expect(heard).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(report).toEqual({ highest: 199, loss: 0, lossAfter: 0, jitterMs: 0 });
  });

  it('survives bursts of three with copies at 1 and 3, of four with one at 6', () => {
    const three = talk(200, (i) => i % 10 > 2);
    expect(three.heard.length).toBe(200);
    expect(three.report).toMatchObject({ loss: 307, lossAfter: 0 });
    const burst = (i: number): boolean => i < 20 || i % 20 > 3;
    expect(talk(200, burst).heard.length).toBeLessThan(200);
    expect(talk(200, burst, BURSTS).heard.length).toBe(200);
  });

  it('loses what protocol 10.3 says under random loss of 20 %', () => {
    const dice = new SeededRng(1);
    const { report } = talk(1000, () => randomUnit(dice) >= 0.2);
    expect(report.loss).toBeGreaterThan(170);
    expect(report.loss).toBeLessThan(230);
    expect(report.lossAfter).toBeLessThan(20);
  });

  it('is heard once when frames come twice or late, and not when they are from long ago', () => {
    const receiver = new MediaReceiver();
    const fields = [0, 1, 2].map((i) => encodeMedia([frame(i)])) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const heard = [2, 0, 2, 1, 0].map((i) => receiver.receive(fields[i] as Uint8Array, 0).length);
    expect(heard).toEqual([1, 1, 0, 1, 0]);
    receiver.receive(encodeMedia([frame(5000)]), 0);
    expect(receiver.receive(encodeMedia([frame(3)]), 0)).toEqual([]);
    expect(receiver.receive(encodeMedia([frame(4500)]), 0)).toHaveLength(1);
  });

  it('reports every frame as lost or not, once', () => {
    const receiver = new MediaReceiver();
    let lost = 0;
    for (let i = 0; i < 500; i++) {
      if (i % 5 !== 0) receiver.receive(encodeMedia([frame(i)]), i * FRAME_MS);
      if (i % 50 === 49) lost += receiver.report().loss;
    }
    expect(lost / 10).toBeGreaterThan(180);
    expect(lost / 10).toBeLessThan(220);
    expect(receiver.report()).toMatchObject({ loss: 0, lossAfter: 0 });
  });

  it('leaves copies out when there is no room, and itself when there is none for it', () => {
    const sender = new MediaSender();
    for (let i = 0; i < 5; i++) {
      sender.push(new Uint8Array(80));
      sender.field(400);
    }
    sender.push(new Uint8Array(80));
    expect(sender.field(90)).toBeUndefined();
    expect(decodeMedia(sender.field(91)?.data ?? new Uint8Array())).toHaveLength(1);
    sender.push(new Uint8Array(80));
    expect(decodeMedia(sender.field(91 + 82)?.data ?? new Uint8Array())).toHaveLength(2);
  });

  it('drops the oldest when more is spoken than there are slots', () => {
    const sender = new MediaSender();
    for (let i = 0; i < 5; i++) sender.push(Uint8Array.of(i));
    const sent = [1, 2, 3, 4].map(() => sender.field(400)?.data);
    expect(sent.map((data) => data && decodeMedia(data)[0]?.bytes[0])).toEqual([
      2,
      3,
      4,
      undefined,
    ]);
  });

  it('takes copies from farther behind after bad reports, until ten good ones', () => {
    const sender = new MediaSender();
    expect(sender.distances).toEqual(CALM);
    sender.onReport({ ...CALM_REPORT, lossAfter: 20 });
    expect(sender.distances).toEqual(BURSTS);
    for (let i = 0; i < 9; i++) sender.onReport(CALM_REPORT);
    expect(sender.distances).toEqual(BURSTS);
    sender.onReport(CALM_REPORT);
    expect(sender.distances).toEqual(CALM);
    sender.onReport({ ...CALM_REPORT, loss: 300 });
    expect(sender.distances).toEqual(BURSTS);
  });

  it('tells jitter', () => {
    const receiver = new MediaReceiver();
    for (let i = 0; i < 200; i++)
      receiver.receive(encodeMedia([frame(i)]), i * FRAME_MS + (i % 2) * 10);
    expect(receiver.report().jitterMs).toBeGreaterThan(9);
    expect(receiver.report().jitterMs).toBeLessThan(11);
  });
});

describe('reports', () => {
  it('go once a second and measure the round trip, also where 32 bits end', () => {
    for (const startMs of [0, 2 ** 32 - 500, 1.7e12]) {
      const [a, b] = [new Reporting(startMs), new Reporting(startMs)];
      const receiver = new MediaReceiver();
      expect(a.field(receiver, 0, startMs + REPORT_MS - 1)).toBeUndefined();
      const asked = a.field(receiver, 0, startMs + REPORT_MS);
      expect(a.field(receiver, 0, startMs + REPORT_MS)).toBeUndefined();
      if (asked === undefined) throw new Error('no report');
      expect(b.onReport(decodeReport(asked.data), startMs + 1100)).toBeUndefined();
      const echoed = b.field(receiver, 0, startMs + 1400);
      if (echoed === undefined) throw new Error('no report');
      expect(a.onReport(decodeReport(echoed.data), startMs + 1500)).toBe(200);
    }
  });

  it('are not believed when they echo the future', () => {
    const reporting = new Reporting(0);
    const lie = { ...REPORT, echo: { timeMs: 5000, ageMs: 0 } };
    expect(reporting.onReport(lie, 4000)).toBeUndefined();
  });
});
