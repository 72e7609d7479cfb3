import { describe, expect, test } from 'vitest';
import { gapsBefore, moved, showing, usualInterval, wholeStretch, zoomed } from './series';

const DAY = 86_400_000;

function daily(...days: readonly number[]) {
  return days.map((day) => ({ at: day * DAY, value: day }));
}

test('the usual interval is the median, and needs three values', () => {
  expect(usualInterval(daily(0, 1, 2, 30))).toBe(DAY);
  expect(usualInterval(daily(0, 1))).toBeUndefined();
});

test('a gap is where nothing was measured for more than four usual intervals', () => {
  expect([...gapsBefore(daily(0, 1, 2, 3, 8, 9))]).toEqual([4]);
});

test('regular values have no gap', () => {
  expect(gapsBefore(daily(0, 1, 2, 3)).size).toBe(0);
});

describe('the stretch on screen', () => {
  const whole = { from: 0, to: 100 * DAY };

  test('holds every point with room at both ends', () => {
    const stretch = wholeStretch(daily(10, 20));

    expect(stretch.from).toBeLessThan(10 * DAY);
    expect(stretch.to).toBeGreaterThan(20 * DAY);
  });

  test('zooms about its middle', () => {
    expect(zoomed(whole, whole, 0.5)).toEqual({ from: 25 * DAY, to: 75 * DAY });
  });

  test('is never wider than the whole, nor shorter than an hour', () => {
    expect(zoomed(whole, whole, 4)).toEqual(whole);
    const least = zoomed(whole, whole, 1e-9);
    expect(least.to - least.from).toBe(3_600_000);
  });

  test('stops at the ends', () => {
    const last = { from: 80 * DAY, to: 100 * DAY };

    expect(moved(last, whole, 0.5)).toEqual(last);
    expect(moved(last, whole, -0.5)).toEqual({ from: 70 * DAY, to: 90 * DAY });
  });

  test('moves to a value that lies outside it', () => {
    expect(showing({ from: 0, to: 10 * DAY }, whole, 50 * DAY)).toEqual({
      from: 45 * DAY,
      to: 55 * DAY,
    });
  });

  test('stays where it is for a value inside', () => {
    const stretch = { from: 0, to: 10 * DAY };

    expect(showing(stretch, whole, 5 * DAY)).toBe(stretch);
  });
});
