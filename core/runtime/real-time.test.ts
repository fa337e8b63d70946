import { describe, expect, it } from 'vitest';
import { realClock, realTimers } from './real-time.ts';

describe('timers of the system', () => {
  it('fire in the order of their deadlines, never early', async () => {
    const order: string[] = [];
    const startMs = realClock.nowMs();
    let firedMs = 0;
    await new Promise<void>((resolve) => {
      realTimers.after(20, () => {
        firedMs = realClock.nowMs();
        order.push('later');
        resolve();
      });
      realTimers.after(0, () => order.push('sooner'));
    });
    expect(order).toEqual(['sooner', 'later']);
    expect(firedMs - startMs).toBeGreaterThanOrEqual(20);
  });

  it('can be cancelled, also after they fired', async () => {
    const fired: string[] = [];
    const cancelled = realTimers.after(1, () => fired.push('cancelled'));
    cancelled.cancel();
    await new Promise<void>((resolve) => {
      const timer = realTimers.after(5, () => {
        timer.cancel();
        resolve();
      });
    });
    expect(fired).toEqual([]);
  });

  it('do not fire at once when the delay is longer than setTimeout can take', async () => {
    let fired = false;
    const timer = realTimers.after(2 ** 31 + 1000, () => {
      fired = true;
    });
    await new Promise<void>((resolve) => void realTimers.after(20, resolve));
    timer.cancel();
    expect(fired).toBe(false);
  });
});
